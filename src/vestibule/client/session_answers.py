"""Read tokens and refusals from responses, and build the headers that send tokens. No message repeats a secret."""

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from vestibule.client.errors import (
    MAX_MESSAGE_CHARACTERS,
    EnrolmentRequiredError,
    NotReachedError,
    SecondFactorRequiredError,
    SignedOutError,
)
from vestibule.client.tokens import SENDABLE, Tokens
from vestibule.crypto import i_json
from vestibule.protocol.cookies import ACCESS, HOST_PREFIX, REFRESH, SECOND_FACTOR
from vestibule.protocol.one_line import one_line, quoted
from vestibule.protocol.refusals import INSUFFICIENT_AUTHENTICATION

_INSUFFICIENT = f'error="{INSUFFICIENT_AUTHENTICATION.code}"'
_SECRET_MEMBERS = ("password", "code")
_SHORTEST_SECRET = 4  # a shorter one may be part of any sentence by chance
_MOST_FACTORS, _MOST_CODES = 10, 20  # read from one response, whatever it lists


@dataclass(frozen=True)
class Answer:
    """A whole response. `asked_at` is when its request was sent, in seconds since 1970 by this machine's clock. `url`
    has no query.
    """

    status_code: int
    url: httpx.URL
    headers: httpx.Headers
    content: bytes
    asked_at: float

    def json(self) -> Any:
        """Return the body as JSON; raises `ValueError`."""
        return i_json.parse(self.content)


def refusal(answer: Answer, secrets: Collection[str]) -> Exception:
    """Return the server's refusal as an exception. Somebody may print it, so it repeats no secret of the request."""
    try:
        body = answer.json()
        code, message = one_line(str(body["code"])), one_line(str(body["message"]))
    except (ValueError, LookupError, TypeError):
        return NotReachedError(f"{answer.url} answers {answer.status_code}")
    factors = _factors(body)
    if any(secret in "".join((code, message, *factors)) for secret in secrets):
        return NotReachedError(f"{answer.url} answers {answer.status_code} and repeats a secret; is it a Vestibule?")
    said = quoted(code), quoted(message, MAX_MESSAGE_CHARACTERS)
    if not pending_in(answer):
        return SignedOutError(*said)
    must_enrol = code == "second_factor_enrolment_required"
    return EnrolmentRequiredError(*said, factors) if must_enrol else SecondFactorRequiredError(*said, factors)


def _factors(body: Mapping[str, Any]) -> tuple[str, ...]:
    factors = body.get("factors")
    return tuple(quoted(str(each)) for each in factors[:_MOST_FACTORS]) if isinstance(factors, list) else ()


def sent_secrets(content: Mapping[str, Any]) -> list[str]:
    """Return the password, the code and the tokens that a request sends."""
    members = [content.get("json", {}).get(name, "") for name in _SECRET_MEMBERS]
    tokens = re.findall(r"[\w.-]{32,}", " ".join(content.get("headers", {}).values()))
    return [*tokens, *(each for each in members if len(each) >= _SHORTEST_SECRET)]


def tokens_in(answer: Answer, refresh_before: str = "") -> Tokens:
    """Return the tokens that a response sets, with `refresh_before` if it sets no new one; raises `NotReachedError`."""
    access = _cookie_in(answer, ACCESS)
    refresh = _cookie_in(answer, REFRESH) or refresh_before
    if not access or not refresh or not (SENDABLE.fullmatch(access) and SENDABLE.fullmatch(refresh)):
        raise NotReachedError(f"{answer.url} sets no tokens; is it a Vestibule?")
    try:
        expires_at = _expiry_here(access, answer.asked_at)
    except (ValueError, LookupError, TypeError):  # not chained: messages may quote the token
        raise NotReachedError(f"{answer.url} sets tokens that are none; is it a Vestibule?") from None
    return Tokens(access, refresh, expires_at)


def app_in(answer: Answer) -> str:
    """Return the `otpauth://` URI of a new authenticator app; raises `NotReachedError`."""
    try:
        return one_line(str(answer.json()["data"]["uri"]))
    except (ValueError, LookupError, TypeError):
        raise NotReachedError(f"{answer.url} names no app to set up; is it a Vestibule?") from None


def recovery_codes_in(answer: Answer) -> list[str]:
    """Return the recovery codes in the answer that confirms a first factor; raises `NotReachedError`."""
    try:
        return [one_line(str(code)) for code in answer.json()["recovery_codes"][:_MOST_CODES]]
    except (ValueError, LookupError, TypeError):
        raise NotReachedError(f"{answer.url} answers without recovery codes; is it a Vestibule?") from None


def pending_in(answer: Answer) -> str | None:
    """Return the handle, set by a response, of a sign-in that waits for its second step; None without one."""
    handle = _cookie_in(answer, SECOND_FACTOR)
    return handle if handle and SENDABLE.fullmatch(handle) else None


def _expiry_here(access: str, asked_at: float) -> int:
    """Return when the token expires by this machine's clock: its lifetime (`exp` less `iat`) after it was requested.
    The clock may differ from Vestibule's by hours. Without `iat`, return `exp`. Raises `ValueError`, `LookupError` or
    `TypeError`.
    """
    _, payload, *_ = access.split(".")
    claims = i_json.parse(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    expires_at = int(claims["exp"])
    if "iat" not in claims:
        return expires_at
    return int(asked_at) + expires_at - int(claims["iat"])


def rejects_token(answer: httpx.Response) -> bool:
    """Return whether a service rejects the token, so that a refreshed one may help. False if the service asks for
    another sign-in (RFC 9470, section 3): a refresh changes neither the level of the sign-in nor its time.
    """
    challenge = answer.headers.get("WWW-Authenticate", "")
    return answer.status_code == httpx.codes.UNAUTHORIZED and _INSUFFICIENT not in challenge


def repeatable(request: httpx.Request) -> bool:
    """Return whether the body can be sent a second time: it is bytes, or a form whose files can be rewound."""
    if isinstance(request.stream, httpx.ByteStream):
        return True
    fields = getattr(request.stream, "fields", None)  # only a form has them
    return fields is not None and all(_can_rewind(getattr(field, "file", "")) for field in fields)


def _can_rewind(file: Any) -> bool:
    return isinstance(file, str | bytes) or (hasattr(file, "seekable") and file.seekable())


def _cookie_in(answer: Answer, name: str) -> str | None:
    """Return the cookie that a response sets, with or without the `__Host-` prefix, or None."""
    lines = answer.headers.get_list("Set-Cookie")
    values = {}
    for line in lines:
        key, _, value = line.partition(";")[0].partition("=")
        values[key] = value
    return values.get(HOST_PREFIX + name) or values.get(name)


def refresh_cookie(tokens: Tokens) -> str:
    """Return the Cookie header with both names: an operator may change the prefix while the session lives."""
    return _both_names(REFRESH, tokens.refresh)


def pending_cookie(handle: str) -> str:
    """Return the Cookie header of a sign-in that waits for its second step, with both names."""
    return _both_names(SECOND_FACTOR, handle)


def _both_names(name: str, value: str) -> str:
    return f"{name}={value}; {HOST_PREFIX}{name}={value}"


def bearer(tokens: Tokens) -> dict[str, str]:
    """Return the header that carries the access token (RFC 6750, section 2.1)."""
    return {"Authorization": f"Bearer {tokens.access}"}
