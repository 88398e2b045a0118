"""The cookies (RFC 6265): the contract's three for a sign-in, one for each known device, those of one step of a sign-in
or a page, and one with the session of an operator who acts as somebody else.

Names and attributes of the contract's cookies are exactly the contract's.
"""

from datetime import datetime, timedelta
from email.utils import format_datetime

from starlette.responses import Response

from vestibule.flows.issue_tokens import Tokens
from vestibule.model.devices import DeviceSecret
from vestibule.protocol import cookies as protocol
from vestibule.protocol.cookies import RawHeaders
from vestibule.web.web_policy import WebPolicy

ACCESS = protocol.ACCESS
REFRESH = protocol.REFRESH
LOGGED_IN = "logged_in"
DEVICE = "device_"
LANGUAGE = "language"
RETURN_TO = "return_to"
SENT_LETTER = "sent_letter"
SECOND_FACTOR = protocol.SECOND_FACTOR
REFUSED_FORM = "refused_form"
CEREMONY = "ceremony"
RECOVERY_CODES = "recovery_codes"
SERVICE_KEY = "service_key"
EMAIL_CODE = "email_code"
KEPT = "cookies_kept"
OPERATOR_SESSION = "operator_session"
_RETURN_TO_SECONDS = 3600
_SENT_LETTER_SECONDS = 900
_EMAIL_CODE_SECONDS = 3600
_LONGEST_SECONDS = 400 * 86400  # the longest that browsers keep a cookie (RFC 6265bis, section 5.5)
_CREDENTIALS = {ACCESS, REFRESH}
_OF_SIGN_IN = {*_CREDENTIALS, LOGGED_IN}
_OF_ONE_STEP = {SENT_LETTER, REFUSED_FORM, RECOVERY_CODES, SERVICE_KEY, CEREMONY, SECOND_FACTOR, EMAIL_CODE}
_OF_OPERATORS = {OPERATOR_SESSION}
_MAX_DEVICES = 8  # device cookies in one browser, one for each account; together they take under 1 kB
_MAX_VALUES = 8  # values read for one account; another site may have planted more


def set_tokens(response: Response, tokens: Tokens, now: datetime, web: WebPolicy) -> None:
    """Set the cookies with the tokens, and `logged_in`, the only one that scripts can read."""
    _set(response, ACCESS, tokens.access_token, tokens.access_seconds, now, web)
    if tokens.refresh_token is not None:
        _set(response, REFRESH, tokens.refresh_token, tokens.refresh_seconds, now, web)
    _set(response, LOGGED_IN, "true", tokens.access_seconds, now, web)


def set_device(
    response: Response, sent: RawHeaders, device: DeviceSecret, lifetime: timedelta, now: datetime, web: WebPolicy
) -> None:
    """Set the cookie by which the account knows this browser at the next sign-in. The cookie lasts as long as the
    server keeps the device. The cookie signs nobody in, and stays after signing out. If a browser has too many such
    cookies, the oldest are deleted.
    """
    name, prefix = device_prefix(web) + device.tag, device_prefix(web).encode()
    sent_names = dict.fromkeys(key for key, _ in protocol.pairs(sent) if key.startswith(prefix))  # oldest first
    sent_names.pop(name.encode(), None)
    too_many = max(0, len(sent_names) + 1 - _MAX_DEVICES)
    for old in list(sent_names)[:too_many]:
        if _is_name(old):
            _set(response, old.decode(), "", 0, now, web)
    seconds = int(lifetime.total_seconds()) or _LONGEST_SECONDS  # zero: the server keeps the device without end
    _set(response, name, device.secret, min(seconds, _LONGEST_SECONDS), now, web)


def device_prefix(web: WebPolicy) -> str:
    """Return the beginning of the names of device cookies. The beginning includes `__Host-` wherever browsers accept
    that, so that no other host of the domain can plant such a cookie. The contract does not name these cookies.
    """
    return host_only(DEVICE, web)


def set_second_factor(response: Response, handle: str, lifetime: timedelta, now: datetime, web: WebPolicy) -> None:
    """Set the cookie with the secret handle of a sign-in that waits for its second step."""
    _set(response, second_factor_name(web), handle, int(lifetime.total_seconds()), now, web)


def clear_second_factor(response: Response, now: datetime, web: WebPolicy) -> None:
    """Delete the cookie of a sign-in that was waiting."""
    _set(response, second_factor_name(web), "", 0, now, web)


def second_factor_name(web: WebPolicy) -> str:
    """Return the name of the cookie for a second step, with `__Host-` wherever browsers accept that."""
    return host_only(SECOND_FACTOR, web)


def read_second_factor(headers: RawHeaders, web: WebPolicy) -> str:
    """Return the handle of the sign-in that waits; empty without one, or if two cookies differ."""
    return protocol.read(headers, second_factor_name(web).encode()) or ""


def set_language(response: Response, language: str, now: datetime, web: WebPolicy) -> None:
    """Set the cookie with the language that was chosen on a page."""
    _set(response, LANGUAGE, language, _LONGEST_SECONDS, now, web)


def set_return_to(response: Response, target: str, now: datetime, web: WebPolicy) -> None:
    """Set the cookie with the page to return to, for an hour: enough for signing up and opening an email."""
    _set(response, RETURN_TO, target, _RETURN_TO_SECONDS, now, web)


def clear_return_to(response: Response, now: datetime, web: WebPolicy) -> None:
    """Delete the `return_to` cookie: its target was reached, or no longer counts."""
    _set(response, RETURN_TO, "", 0, now, web)


def set_sent_letter(response: Response, value: str, now: datetime, web: WebPolicy) -> None:
    """Set the cookie with the email that a letter was just sent to. The cookie lasts a quarter of an hour."""
    _set(response, SENT_LETTER, value, _SENT_LETTER_SECONDS, now, web)


def clear_sent_letter(response: Response, now: datetime, web: WebPolicy) -> None:
    """Delete the `sent_letter` cookie, after signing in."""
    _set(response, SENT_LETTER, "", 0, now, web)


def set_of_pages(
    response: Response, name: str, value: str, path: str, max_age: int, now: datetime, web: WebPolicy
) -> None:
    """Set a cookie that keeps something for the pages under `path`, for `max_age` seconds; 0 deletes it."""
    _set(response, name, value, max_age, now, web, path)


def set_ceremony(response: Response, kept: str, seconds: int, now: datetime, web: WebPolicy) -> None:
    """Set the cookie with the question to an authenticator. Another question of this browser replaces it."""
    _set(response, host_only(CEREMONY, web), kept, seconds, now, web)


def clear_ceremony(response: Response, now: datetime, web: WebPolicy) -> None:
    """Delete the `ceremony` cookie, after its question was answered."""
    _set(response, host_only(CEREMONY, web), "", 0, now, web)


def read_ceremony(headers: RawHeaders, web: WebPolicy) -> str:
    """Return what the `ceremony` cookie has; empty without one, or if two differ."""
    return protocol.read(headers, host_only(CEREMONY, web).encode()) or ""


def set_email_code(response: Response, kept: str, now: datetime, web: WebPolicy) -> None:
    """Set the cookie with the handle of an email code. The cookie lasts an hour, longer than the code: so a browser
    that sends an expired code is told that, not that it never asked for one.
    """
    _set(response, host_only(EMAIL_CODE, web), kept, _EMAIL_CODE_SECONDS, now, web)


def clear_email_code(response: Response, now: datetime, web: WebPolicy) -> None:
    """Delete the `email_code` cookie, after its code was used."""
    _set(response, host_only(EMAIL_CODE, web), "", 0, now, web)


def read_email_code(headers: RawHeaders, web: WebPolicy) -> str:
    """Return what the `email_code` cookie has; empty without one, or if two differ."""
    return protocol.read(headers, host_only(EMAIL_CODE, web).encode()) or ""


def host_only(name: str, web: WebPolicy) -> str:
    """Return the name with `__Host-` wherever browsers accept that: then no other host can have set the cookie."""
    return (protocol.HOST_PREFIX if web.secure_cookies else "") + name


def clear(response: Response, now: datetime, web: WebPolicy) -> None:
    """Delete the three cookies of a sign-in."""
    for name in (ACCESS, REFRESH, LOGGED_IN):
        _set(response, name, "", 0, now, web)


def clear_refresh(response: Response, now: datetime, web: WebPolicy) -> None:
    """Delete the refresh token alone: an operator begins to act as somebody else, whose session has none."""
    _set(response, REFRESH, "", 0, now, web)


def name_of(name: str, web: WebPolicy) -> str:
    """Return a cookie's name in this installation. The tokens' cookies may have the prefix `__Host-`: then no other
    host can have set them (RFC 6265bis, section 4.1.3.2).
    """
    return web.cookie_prefix + name if name in _CREDENTIALS else name


def _set(
    response: Response, name: str, value: str, max_age: int, now: datetime, web: WebPolicy, path: str = "/"
) -> None:
    expires = format_datetime(now + timedelta(seconds=max_age), usegmt=True)
    attributes = [f"{name_of(name, web)}={value}", f"Max-Age={max_age}", f"Path={path}", f"Expires={expires}"]
    if name != LOGGED_IN:
        attributes.append("HttpOnly")
    if web.secure_cookies:
        attributes.append("Secure")
    attributes.append("SameSite=Lax")
    response.headers.append("Set-Cookie", "; ".join(attributes))


def access_name(web: WebPolicy) -> bytes:
    """Return the name of the access token's cookie in this installation, as bytes."""
    return name_of(ACCESS, web).encode()


def read_access(headers: RawHeaders, web: WebPolicy) -> str | None:
    """Return the access token in its cookie; None without one, or if two cookies differ."""
    return protocol.read(headers, access_name(web))


def read_refresh(headers: RawHeaders, web: WebPolicy) -> str | None:
    """Return the refresh token in its cookie; None without one, or if two cookies differ."""
    return protocol.read(headers, name_of(REFRESH, web).encode())


def any_credential(headers: RawHeaders, web: WebPolicy) -> bool:
    """Return whether the request has a cookie with a token, or with an operator's token that was put away."""
    names = {*(name_of(name, web).encode() for name in _CREDENTIALS), host_only(OPERATOR_SESSION, web).encode()}
    return any(key in names for key, _ in protocol.pairs(headers))


def without_ours(headers: RawHeaders) -> str:
    """Return the Cookie header for a service behind Vestibule, without our cookies that have a secret or an email."""
    kept = [
        pair.strip(b" \t")
        for header, content in headers
        if header == b"cookie"
        for pair in content.split(b";")
        if not _is_ours(pair.partition(b"=")[0].strip(b" \t").decode("latin-1"))
    ]
    return b"; ".join(pair for pair in kept if pair).decode("latin-1")


def _is_ours(name: str) -> bool:
    bare = name.removeprefix(protocol.HOST_PREFIX)
    return bare in {*_OF_SIGN_IN, *_OF_ONE_STEP, *_OF_OPERATORS} or bare.startswith(DEVICE)


def read_devices(headers: RawHeaders, web: WebPolicy) -> dict[str, tuple[str, ...]]:
    """Return the device secrets in the cookies, by account tag. Other hosts may have planted some: keep 8 for each."""
    prefix = device_prefix(web).encode()
    found: dict[str, tuple[str, ...]] = {}
    for key, value in protocol.pairs(headers):
        if key.startswith(prefix):
            tag = key.removeprefix(prefix).decode("latin-1")
            found[tag] = (*found.get(tag, ()), value.decode("latin-1"))[:_MAX_VALUES]
    return found


def _is_name(name: bytes) -> bool:
    """Return whether a name that a client sent has only characters of our cookies' names, and can go into a header."""
    return name.isascii() and name.replace(b"_", b"").replace(b"-", b"").isalnum()
