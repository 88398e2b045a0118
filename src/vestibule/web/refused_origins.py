"""Log the origins that are not allowed, because a front-end that is missing in `ORIGIN` shows no other sign of it."""

import structlog
from starlette.datastructures import Headers

from vestibule.model.clock import Clock
from vestibule.web.web_policy import WebPolicy

MAX_ORIGINS = 50
"""Origins logged in a minute. A bound is needed, because clients can send any origin."""

_SECONDS = 60
_MAX_CHARACTERS = 100
_log = structlog.get_logger(__name__)


class RefusedOrigins:
    """Logs each refused origin at most once a minute."""

    def __init__(self, web: WebPolicy, clock: Clock) -> None:
        self._web = web
        self._clock = clock
        self._minute = 0
        self._logged: set[str] = set()

    def log(self, headers: Headers) -> None:
        """Log the Origin of a request, unless it is listed or the server's own."""
        origin = headers.get("origin")
        if origin is None or origin in self._web.origins or origin.partition("://")[2] == headers.get("host"):
            return
        self._warn(ascii(origin[:_MAX_CHARACTERS])[1:-1])

    def _warn(self, origin: str) -> None:
        minute = int(self._clock.monotonic()) // _SECONDS
        if minute != self._minute:
            self._minute, self._logged = minute, set()
        if origin in self._logged or len(self._logged) >= MAX_ORIGINS:
            return
        self._logged.add(origin)
        allowed = ", ".join(sorted(self._web.origins))
        _log.warning(
            "origin_refused",
            origin=origin,
            hint=f"pages of this origin cannot call here; if it is your front-end, add it to ORIGIN (now: {allowed})",
        )
