"""Log the mistakes of a front-end that neither its browser nor the answer explains: an origin that is missing in
`ORIGIN`, cookies that the browser keeps back, calls without `credentials`, a body without its content type, a
`return_to` that is not allowed.
"""

import structlog
from starlette.datastructures import Headers

from vestibule.model.clock import Clock
from vestibule.protocol import hosts
from vestibule.protocol.other_sites import DOCTORS_ORIGIN
from vestibule.protocol.this_machine import is_this_machine
from vestibule.web.web_policy import WebPolicy

MAX_HINTS = 50
"""Hints logged in a minute. A bound is needed, because clients can send any origin and any content type."""

_INTERVAL_SECONDS = 60
_NEXT_CALL_SECONDS = 10  # after a sign-in; later, another browser may call from the same origin
_MAX_CHARACTERS = 100
_CALL_BY_ITS_NAME = "by the name that the front-end has, such as localhost"
_log = structlog.get_logger(__name__)


class FrontEndHints:
    """Logs each mistake at most once a minute."""

    def __init__(self, web: WebPolicy, clock: Clock) -> None:
        self._web = web
        self._allowed = ", ".join(sorted(web.origins)) or "none"
        self._clock = clock
        self._minute = 0
        self._logged: set[tuple[str, str]] = set()
        self._signed_in, self._signed_in_at = "", 0.0  # the origin of the last sign-in, until the next call from there

    def check_origin(self, headers: Headers) -> None:
        """Log the Origin of a request if its pages cannot call here, or are called without cookies."""
        origin = headers.get("origin")
        if origin in {None, DOCTORS_ORIGIN}:
            return
        if origin in self._web.origins:
            self._check_cookies(headers, origin)
        elif not _is_own(headers, origin):
            hint = f"pages of this origin cannot call here; {self._advice_for(origin)}"
            self._warn("origin_refused", origin, hint, origin=_printable(origin))

    def _advice_for(self, origin: str) -> str:
        """Return what to do about an origin that is not listed: open the same by its listed name, if it has one."""
        listed = next((known for known in sorted(self._web.origins) if _is_other_name(origin, known)), None)
        if listed is not None:
            return f"open your front-end at {listed} instead: to a browser, localhost and 127.0.0.1 are different sites"
        return f"if it is your front-end, add it to ORIGIN (now: {self._allowed})"

    def signed_in(self, headers: Headers) -> None:
        """Note, in development, that a page of this origin was sent the cookies of a session."""
        origin = headers.get("origin", "")
        if origin in self._web.origins and not self._web.secure_cookies:
            self._signed_in, self._signed_in_at = origin, self._clock.monotonic()

    def check_body_type(self, content_type: str) -> None:
        """Log, in development, the content type of a body that was not read, because it is not JSON."""
        if self._web.secure_cookies:  # production: strangers send such bodies, and front-ends work already
            return
        hint = "the body was not read, so its fields count as missing; send JSON with Content-Type: application/json"
        media_type = content_type.partition(";")[0]  # without the boundary, which is new for each body
        self._warn("body_not_json", media_type, hint, content_type=_printable(media_type))

    def return_to_ignored(self, target: str) -> None:
        """Log, in development, a target that no page may redirect to."""
        if self._web.secure_cookies:
            return
        hint = f"name a path of this server, or a page of an origin in ORIGIN (now: {self._allowed}), without a #"
        self._warn("return_to_ignored", target, hint, return_to=_printable(target))

    def _check_cookies(self, headers: Headers, origin: str) -> None:
        # In production the doctor says this instead, because front-ends that use no cookies may well be on other sites.
        if self._web.secure_cookies or "authorization" in headers:
            return
        if headers.get("sec-fetch-site") == "cross-site":
            self._warn_of_other_site(headers, origin)
        elif origin == self._signed_in and "access-control-request-method" not in headers:
            self._check_credentials(headers, origin)

    def _check_credentials(self, headers: Headers, origin: str) -> None:
        """Log the first call after a sign-in of this origin, if it comes soon and without cookies, and no later one."""
        since = self._clock.monotonic() - self._signed_in_at
        self._signed_in = ""
        if "cookie" not in headers and since < _NEXT_CALL_SECONDS:
            hint = (
                "somebody signed in from this origin, and its next call came without cookies, so it is answered 401: "
                'send every call with credentials: "include", the sign-in too'
            )
            self._warn("credentials_left_out", origin, hint, origin=_printable(origin))

    def _warn_of_other_site(self, headers: Headers, origin: str) -> None:
        host = headers.get("host", "")
        named_so = f"http://{host}"
        (_, port), _ = _without_name(named_so)
        name = _without_name(origin)[1]
        call = f"at http://{hosts.in_url(name)}:{port}" if _are_this_machine(origin, named_so) else _CALL_BY_ITS_NAME
        hint = (
            "to the browser these are different sites, so it neither keeps nor sends cookies: have the front-end call "
            f"this server {call}"
        )
        self._warn("cookies_kept_back", f"{origin} {host}", hint, origin=_printable(origin), host=_printable(host))

    def _warn(self, event: str, about: str, hint: str, **details: str) -> None:
        minute = int(self._clock.monotonic()) // _INTERVAL_SECONDS
        if minute != self._minute:
            self._minute, self._logged = minute, set()
        key = event, about[:_MAX_CHARACTERS]
        if key in self._logged or len(self._logged) >= MAX_HINTS:
            return
        self._logged.add(key)
        _log.warning(event, **details, hint=hint)


def _is_other_name(origin: str, listed: str) -> bool:
    """Return whether two origins differ in the name of this machine alone, such as `localhost` and `127.0.0.1`."""
    (one, name), (other, known) = _without_name(origin), _without_name(listed)
    return one == other and name != known and _are_this_machine(origin, listed)


def _are_this_machine(*origins: str) -> bool:
    """Return whether all of them have a port, and a name of this machine."""
    return all(port.isdecimal() and is_this_machine(name) for (_, port), name in map(_without_name, origins))


def _without_name(origin: str) -> tuple[tuple[str, str], str]:
    """Return scheme and port of an origin that a stranger may have chosen, and its name."""
    scheme, _, rest = origin.partition("://")
    name, _, port = rest.rpartition(":")
    return (scheme, port), name.strip("[]")


def _is_own(headers: Headers, origin: str) -> bool:
    """Return whether a page of this server sent the request. Our forms send `Origin: null`, because our pages send no
    Referer (Fetch standard, "append a request Origin header").
    """
    return headers.get("sec-fetch-site") == "same-origin" or origin.partition("://")[2] == headers.get("host")


def _printable(value: str) -> str:
    """Return the beginning of `value`, with every character escaped that is not printable ASCII."""
    return ascii(value[:_MAX_CHARACTERS])[1:-1]
