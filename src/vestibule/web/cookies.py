"""The contract's three cookies, set and read to the letter (RFC 6265); one by which a browser is known again; its
language; and where somebody was going.
"""

from datetime import datetime, timedelta
from email.utils import format_datetime

from starlette.responses import Response

from vestibule.flows.issue_tokens import Tokens
from vestibule.model.devices import DeviceSecret
from vestibule.protocol import cookies as protocol
from vestibule.protocol.cookies import RawHeaders
from vestibule.web.policy import WebPolicy

ACCESS = protocol.ACCESS
REFRESH = protocol.REFRESH
LOGGED_IN = "logged_in"
DEVICE = "device_"
LANGUAGE = "language"
RETURN_TO = "return_to"
_RETURN_TO_SECONDS = 3600
_LONGEST_SECONDS = 400 * 86400  # the longest that browsers keep a cookie (RFC 6265bis, section 5.5)
_CREDENTIALS = {ACCESS, REFRESH}
_OURS = {*_CREDENTIALS, LOGGED_IN}
_MOST_DEVICES = 8  # accounts that one browser is known to; together they take under 1 kB of its requests
_MOST_PLANTED = 8  # values under one name that are looked at


def set_tokens(response: Response, tokens: Tokens, now: datetime, web: WebPolicy) -> None:
    """Hand the tokens over. Scripts can read `logged_in` alone."""
    _set(response, ACCESS, tokens.access_token, tokens.access_seconds, now, web)
    if tokens.refresh_token is not None:
        _set(response, REFRESH, tokens.refresh_token, tokens.refresh_seconds, now, web)
    _set(response, LOGGED_IN, "true", tokens.access_seconds, now, web)


def set_device(
    response: Response, sent: RawHeaders, device: DeviceSecret, kept: timedelta, now: datetime, web: WebPolicy
) -> None:
    """Let the browser be known again when it signs in to this account, for as long as the server keeps it since the
    last time. It opens nothing, and a log-out leaves it. Of too many such cookies the oldest go.
    """
    name, mark = device_mark(web) + device.tag, device_mark(web).encode()
    others = dict.fromkeys(key for key, _ in protocol.pairs(sent) if key.startswith(mark) and key != name.encode())
    for old in list(others)[: max(0, len(others) + 1 - _MOST_DEVICES)]:
        if _is_name(old):
            _set(response, old.decode(), "", 0, now, web)
    seconds = int(kept.total_seconds()) or _LONGEST_SECONDS
    _set(response, name, device.secret, min(seconds, _LONGEST_SECONDS), now, web)


def device_mark(web: WebPolicy) -> str:
    """Return how the names of device cookies begin. No contract names them, so they have the prefix wherever browsers
    take it: no other host can plant one beside ours.
    """
    return (protocol.HOST_PREFIX if web.secure_cookies else "") + DEVICE


def set_language(response: Response, language: str, now: datetime, web: WebPolicy) -> None:
    """Keep the language that somebody chose."""
    _set(response, LANGUAGE, language, _LONGEST_SECONDS, now, web)


def set_return_to(response: Response, target: str, now: datetime, web: WebPolicy) -> None:
    """Keep where somebody is going, for as long as signing up and reading an email may take."""
    _set(response, RETURN_TO, target, _RETURN_TO_SECONDS, now, web)


def clear_return_to(response: Response, now: datetime, web: WebPolicy) -> None:
    """Delete the cookie: somebody has arrived."""
    _set(response, RETURN_TO, "", 0, now, web)


def clear(response: Response, now: datetime, web: WebPolicy) -> None:
    """Delete the three cookies of a sign-in."""
    for name in (ACCESS, REFRESH, LOGGED_IN):
        _set(response, name, "", 0, now, web)


def named(name: str, web: WebPolicy) -> str:
    """Return what a cookie is called here. One with the prefix `__Host-` no other host can have set (RFC 6265bis,
    section 4.1.3.2).
    """
    return web.cookie_prefix + name if name in _CREDENTIALS else name


def _set(response: Response, name: str, value: str, max_age: int, now: datetime, web: WebPolicy) -> None:
    expires = format_datetime(now + timedelta(seconds=max_age), usegmt=True)
    attributes = [f"{named(name, web)}={value}", f"Max-Age={max_age}", "Path=/", f"Expires={expires}"]
    if name != LOGGED_IN:
        attributes.append("HttpOnly")
    if web.secure_cookies:
        attributes.append("Secure")
    attributes.append("SameSite=Lax")
    response.headers.append("Set-Cookie", "; ".join(attributes))


def access_name(web: WebPolicy) -> bytes:
    """Return what the access token's cookie is called here, as it is sent."""
    return named(ACCESS, web).encode()


def read_access(headers: RawHeaders, web: WebPolicy) -> str | None:
    """Return the access token's cookie; None without one, or if there are two that differ."""
    return protocol.read(headers, access_name(web))


def read_refresh(headers: RawHeaders, web: WebPolicy) -> str | None:
    """Return the refresh token's cookie; None without one, or if there are two that differ."""
    return protocol.read(headers, named(REFRESH, web).encode())


def any_credential(headers: RawHeaders, web: WebPolicy) -> bool:
    """Return whether there is any cookie by which somebody may be signed in."""
    names = {named(name, web).encode() for name in _CREDENTIALS}
    return any(key in names for key, _ in protocol.pairs(headers))


def without_ours(headers: RawHeaders) -> str:
    """Return the Cookie header for a service behind, without the cookies by which somebody is signed in or
    known here.
    """
    rest = [
        pair.strip(b" \t")
        for header, content in headers
        if header == b"cookie"
        for pair in content.split(b";")
        if not _is_ours(pair.partition(b"=")[0].strip(b" \t").decode("latin-1"))
    ]
    return b"; ".join(pair for pair in rest if pair).decode("latin-1")


def _is_ours(name: str) -> bool:
    bare = name.removeprefix(protocol.HOST_PREFIX)
    return bare in _OURS or bare.startswith(DEVICE)


def read_devices(headers: RawHeaders, web: WebPolicy) -> dict[str, tuple[str, ...]]:
    """Return the secrets by which the browser is known to accounts, by the tag of the account. However many others
    there are, each account's own is found.
    """
    mark = device_mark(web).encode()
    found: dict[str, tuple[str, ...]] = {}
    for key, value in protocol.pairs(headers):
        if key.startswith(mark):
            tag = key.removeprefix(mark).decode("latin-1")
            found[tag] = (*found.get(tag, ()), value.decode("latin-1"))[:_MOST_PLANTED]
    return found


def _is_name(name: bytes) -> bool:
    """Return whether it is a name that we may have given: anybody's text goes into no header."""
    return name.isascii() and name.replace(b"_", b"").replace(b"-", b"").isalnum()
