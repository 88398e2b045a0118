"""Read single claims of a signed token and check their types; raise `InvalidToken` for everything unexpected."""

from dataclasses import dataclass

from vestibule.crypto.jws import Claims, InvalidToken

MAX_LEEWAY_SECONDS = 60
_FAR_FUTURE = 2**37  # seconds since 1970: the year 6325, where adding a leeway cannot overflow


@dataclass(frozen=True)
class Expected:
    """The issuer and audience that a token must have, and the allowed clock skew (`leeway`), in seconds.

    `other_issuers` are accepted too, while Vestibule moves from one issuer to another. New tokens name `issuer`.
    """

    issuer: str
    audience: str
    leeway: float
    other_issuers: tuple[str, ...] = ()

    @property
    def issuers(self) -> tuple[str, ...]:
        """Return all issuers that are accepted."""
        return self.issuer, *self.other_issuers


@dataclass(frozen=True)
class Period:
    """When a token is valid, in seconds since 1970. `starts_at` is the later of `iat` and `nbf`."""

    issued_at: int
    starts_at: int
    expires_at: int


def require_issuer_and_audience(claims: Claims, expected: Expected) -> None:
    """Raise `InvalidToken` unless `iss` and `aud` are the expected strings (RFC 8725, sections 3.8 and 3.9)."""
    if claims.get("iss") not in expected.issuers or claims.get("aud") != expected.audience:
        raise InvalidToken


def require_text(claims: Claims, name: str) -> str:
    """Return the claim `name`, a non-empty string without NUL, which databases cannot hold; raises `InvalidToken`."""
    value = claims.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise InvalidToken
    return value


def read_flag(claims: Claims, name: str) -> bool:
    """Return the claim `name`, true or false; False if it is missing. Raises `InvalidToken`."""
    value = claims.get(name, False)
    if not isinstance(value, bool):
        raise InvalidToken
    return value


def read_text(claims: Claims, name: str) -> str:
    """Return the claim `name`, a string; empty if it is missing. Raises `InvalidToken`."""
    return require_text(claims, name) if name in claims else ""


def read_texts(claims: Claims, name: str) -> tuple[str, ...]:
    """Return the claim `name`, a list of strings; empty if it is missing. Raises `InvalidToken`."""
    value = claims.get(name, [])
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise InvalidToken
    return tuple(value)


def require_seconds(claims: Claims, name: str) -> int:
    """Return the claim `name`, in seconds since 1970; raises `InvalidToken`."""
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _FAR_FUTURE:
        raise InvalidToken
    return value


def read_seconds(claims: Claims, name: str) -> int:
    """Return the claim `name`, in seconds since 1970; 0 if it is missing. Raises `InvalidToken`."""
    return require_seconds(claims, name) if name in claims else 0


def read_actor(claims: Claims) -> str | None:
    """Return who acts in the name of the token's subject: `sub` in the claim `act`, an object (RFC 8693, section 4.1).
    Return None without it; raises `InvalidToken`.
    """
    if "act" not in claims:
        return None
    actor = claims["act"]
    if not isinstance(actor, dict):
        raise InvalidToken
    return require_text(actor, "sub")


def read_period(claims: Claims) -> Period:
    """Return `iat` and `exp`, both required, and `nbf` if present (RFC 7519, section 4.1); raises `InvalidToken`."""
    issued_at, expires_at = require_seconds(claims, "iat"), require_seconds(claims, "exp")
    starts_at = max(issued_at, require_seconds(claims, "nbf")) if "nbf" in claims else issued_at
    return Period(issued_at, starts_at, expires_at)


def has_begun(starts_at: int, leeway: float, now: float) -> bool:
    """Return whether `now` is not before `starts_at`, give or take the leeway (RFC 7519, sections 4.1.5 and 4.1.6)."""
    return now >= starts_at - leeway


def require_begun(period: Period, leeway: float, now: float) -> None:
    """Raise `InvalidToken` before the token's lifetime begins."""
    if not has_begun(period.starts_at, leeway, now):
        raise InvalidToken


def has_expired(expires_at: int, leeway: float, now: float) -> bool:
    """Return whether `now` is at `exp` or later, give or take the leeway (RFC 7519, section 4.1.4)."""
    return now >= expires_at + leeway
