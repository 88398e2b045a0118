"""The contract's three cookies, set and read to the letter (RFC 6265); one by which a browser is known again; and its
language.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime

from starlette.responses import Response

from vestibule.flows.issue_tokens import Tokens

RawHeaders = Iterable[tuple[bytes, bytes]]

ACCESS = "access_token"
REFRESH = "refresh_token"
LOGGED_IN = "logged_in"
DEVICE = "device_"
LANGUAGE = "language"
_LONGEST_SECONDS = 400 * 86400  # the longest that browsers keep a cookie (RFC 6265bis, section 5.5)
_MOST_DEVICES = 8


def set_tokens(response: Response, tokens: Tokens, now: datetime, secure: bool) -> None:
    """Hand the tokens over. Scripts can read `logged_in` alone."""
    _set(response, ACCESS, tokens.access_token, tokens.access_seconds, now, secure)
    if tokens.refresh_token is not None:
        _set(response, REFRESH, tokens.refresh_token, tokens.refresh_seconds, now, secure)
    _set(response, LOGGED_IN, "true", tokens.access_seconds, now, secure)


def set_device(response: Response, account_id: str, secret: str, now: datetime, secure: bool) -> None:
    """Let the browser be known again when it signs in to this account. It opens nothing, and a log-out leaves it."""
    _set(response, DEVICE + account_id[:8], secret, _LONGEST_SECONDS, now, secure)


def set_language(response: Response, language: str, now: datetime, secure: bool) -> None:
    """Keep the language that somebody chose."""
    _set(response, LANGUAGE, language, _LONGEST_SECONDS, now, secure)


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
    values = {value for key, value in _pairs(headers) if key == name}
    return values.pop().decode("latin-1") if len(values) == 1 else None


def read_devices(headers: RawHeaders) -> tuple[str, ...]:
    """The secrets by which the browser is known to accounts, the first few of them."""
    mark = DEVICE.encode()
    found = [value.decode("latin-1") for key, value in _pairs(headers) if key.startswith(mark)]
    return tuple(found[:_MOST_DEVICES])


def _pairs(headers: RawHeaders) -> Iterator[tuple[bytes, bytes]]:
    for header, content in headers:
        if header != b"cookie":
            continue
        for pair in content.split(b";"):
            key, separator, value = pair.partition(b"=")
            if separator:
                yield key.strip(b" \t"), value.strip(b" \t")
