"""The contract's three cookies, set and read to the letter (RFC 6265)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import format_datetime

from starlette.responses import Response

from vestibule.flows.issue_tokens import Tokens

RawHeaders = Iterable[tuple[bytes, bytes]]

ACCESS = "access_token"
REFRESH = "refresh_token"
LOGGED_IN = "logged_in"


def set_tokens(response: Response, tokens: Tokens, now: datetime, secure: bool) -> None:
    """Hand the tokens over. Scripts can read `logged_in` alone."""
    _set(response, ACCESS, tokens.access_token, tokens.access_seconds, now, secure)
    if tokens.refresh_token is not None:
        _set(response, REFRESH, tokens.refresh_token, tokens.refresh_seconds, now, secure)
    _set(response, LOGGED_IN, "true", tokens.access_seconds, now, secure)


def clear(response: Response, now: datetime, secure: bool) -> None:
    """Take all three away."""
    for name in (ACCESS, REFRESH, LOGGED_IN):
        _set(response, name, "", 0, now, secure)


def _set(response: Response, name: str, value: str, max_age: int, now: datetime, secure: bool) -> None:
    expires = format_datetime(now + timedelta(seconds=max_age), usegmt=True)
    attributes = [f"{name}={value}", f"Max-Age={max_age}", "Path=/", f"Expires={expires}"]
    if name != LOGGED_IN:
        attributes.append("HttpOnly")
    if secure:
        attributes.append("Secure")
    attributes.append("SameSite=Lax")
    response.headers.append("Set-Cookie", "; ".join(attributes))


def read(headers: RawHeaders, name: bytes) -> str | None:
    """The cookie's value; None if it is not there, or there with two values.

    Somebody who can plant a cookie for the whole domain can add one beside ours, but not take ours away, so
    two values mean that one is not ours, and which one cannot be told.
    """
    values = set()
    for header, content in headers:
        if header != b"cookie":
            continue
        for pair in content.split(b";"):
            key, separator, value = pair.partition(b"=")
            if separator and key.strip(b" \t") == name:
                values.add(value.strip(b" \t"))
    return values.pop().decode("latin-1") if len(values) == 1 else None
