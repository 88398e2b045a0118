"""Find unsafe settings, with which the server does not start. Each message says what to set instead."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from vestibule.protocol.this_machine import is_this_machine

_PLAIN_HTTP = "over plain HTTP, anybody on the network can read passwords and tokens"
_MAKE_SECRET = 'make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
_DEFAULT_LOOKING = ("changeme", "change-me", "change_me", "secret", "password", "example", "vestibule", "default")
_FEWEST_DIFFERENT_CHARACTERS = 10


def in_production(url: str, origins: Iterable[str]) -> Iterator[str]:
    """Yield a line for each URL of the server or of a front-end that is unsafe in production."""
    for setting, address in (("VESTIBULE_URL", url), *(("ORIGIN", origin) for origin in origins)):
        parts = urlsplit(address)
        if parts.scheme == "http" and not is_this_machine(parts.hostname or ""):
            yield f"{setting}: {address} is refused in production, because {_PLAIN_HTTP}; use https://{parts.netloc}"


def secret(setting: str, text: str) -> Iterator[str]:
    """Yield a line if a secret looks as if it was not made at random."""
    if text and (
        len(set(text)) < _FEWEST_DIFFERENT_CHARACTERS or any(word in text.lower() for word in _DEFAULT_LOOKING)
    ):
        yield f"{setting}: is easy to guess: it has a common word or few different characters; {_MAKE_SECRET}"


def cookies(prefix: str, *, secure: bool) -> Iterator[str]:
    """Yield a line if browsers would drop the cookies: a prefix needs `Secure` (RFC 6265bis, section 4.1.3.2)."""
    if prefix and not secure:
        yield (
            f"VESTIBULE_COOKIE_PREFIX: browsers drop {prefix} cookies without Secure, which is set in production only; "
            "unset it, or set NODE_ENV=production"
        )
