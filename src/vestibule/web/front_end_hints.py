"""Log the mistakes of a front-end that neither its browser nor the answer explains: an origin that is missing in
`ORIGIN`, cookies that the browser keeps back, a body without its content type, a `return_to` that is not allowed.
"""

import structlog
from starlette.datastructures import Headers

from vestibule.model.clock import Clock
from vestibule.protocol.other_sites import DOCTORS_ORIGIN
from vestibule.web.web_policy import WebPolicy

MAX_HINTS = 50
"""Hints logged in a minute. A bound is needed, because clients can send any origin and any content type."""

_INTERVAL_SECONDS = 60
_MAX_CHARACTERS = 100
_log = structlog.get_logger(__name__)


class FrontEndHints:
    """Logs each mistake at most once a minute."""

    def __init__(self, web: WebPolicy, clock: Clock) -> None:
        self._web = web
        self._allowed = ", ".join(sorted(web.origins)) or "none"
        self._clock = clock
        self._minute = 0
        self._logged: set[tuple[str, str]] = set()

    def check_origin(self, headers: Headers) -> None:
        """Log the Origin of a request if its pages cannot call here, or are called without cookies."""
        origin = headers.get("origin")
        if origin in {None, DOCTORS_ORIGIN}:
            return
        if origin in self._web.origins:
            self._check_cookies(headers, origin)
        elif not _is_own(headers, origin):
            advice = f"if it is your front-end, add it to ORIGIN (now: {self._allowed})"
            hint = f"pages of this origin cannot call here; {advice}"
            self._warn("origin_refused", origin, hint, origin=_printable(origin))

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
        if self._web.secure_cookies or headers.get("sec-fetch-site") != "cross-site" or "authorization" in headers:
            return
        host = headers.get("host", "")
        hint = (
            "to the browser these are different sites, so it neither keeps nor sends cookies: call this server by the "
            "name that the front-end has, such as localhost"
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


def _is_own(headers: Headers, origin: str) -> bool:
    """Return whether a page of this server sent the request. Our forms send `Origin: null`, because our pages send no
    Referer (Fetch standard, "append a request Origin header").
    """
    return headers.get("sec-fetch-site") == "same-origin" or origin.partition("://")[2] == headers.get("host")


def _printable(value: str) -> str:
    """Return the beginning of `value`, with every character escaped that is not printable ASCII."""
    return ascii(value[:_MAX_CHARACTERS])[1:-1]
