"""Keep reading the feed: as a stream, and by polling while a proxy holds the stream back."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

import httpx

from vestibule.client import reasons, wire
from vestibule.client.errors import NotVestibuleError, ServiceRefusedError, TooManyServicesError
from vestibule.client.feed_reader import FeedReader
from vestibule.client.setup import FEED, Setup
from vestibule.crypto.entropy import spread
from vestibule.model.clock import Clock

POLL_SECONDS = 1.0
MAX_PAUSE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.5
_BEAT_SECONDS = 1.0  # between two heartbeats of Vestibule
_SILENT_SECONDS = wire.READ_SECONDS - _BEAT_SECONDS
"""An outage that makes a stream time out has lasted at least this long: it began before the first missing heartbeat. If
a poll was answered within this time, there is no outage, and a proxy holds the stream back.
"""

_FAILURES_BEFORE_POLLING = 3
"""How many streams in a row may fail without a heartbeat before polling begins: a gateway may end or refuse streams."""
_FAILS_POLLS_TOO = (
    ServiceRefusedError,
    TooManyServicesError,
    NotVestibuleError,
    httpx.ConnectError,
    httpx.ConnectTimeout,
)


class FeedFollower:
    """Follows the feed for one process, with one reader for the stream and another for polls (docs/protocol/README.md).

    A proxy that buffers the stream looks like a Vestibule that does not answer, whether it holds back the whole stream
    or all but its beginning. When a stream falls silent, polling therefore begins, while attempts to stream go on. It
    also begins after three streams without a heartbeat, however they ended, unless a poll would fail as they do.
    Polling ends when a stream has brought heartbeats for longer than the silence after which a stream is given up.
    """

    def __init__(self, reader: Callable[[], FeedReader], setup: Setup, clock: Clock) -> None:
        self._stream, self._poll = reader(), reader()
        self._setup = setup
        self._clock = clock
        self._polling = asyncio.Event()
        self._polled_at = float("-inf")
        self._failures = 0  # streams in a row that ended without a heartbeat where polls may bring one
        self._failed_at = float("-inf")  # when the last stream failed

    async def keep_streaming(self, http: httpx.AsyncClient) -> NoReturn:
        """Stream forever. Reconnect after each end: at once if recent heartbeats came; if none or only stale ones came,
        after pauses that grow to five seconds, and vary by a fifth.
        """
        pause = 0.0
        while True:
            begun, asked_wait = self._clock.monotonic(), 0.0
            try:
                await self._stream.listen(http)
            except Exception as fault:  # every failure is logged and retried
                self._note_failure(fault, http)
                asked_wait = _asked_to_wait(fault)
            if self._stream.beats and not self._stream.lags:
                lasted = self._clock.monotonic() - begun
                pause = 0.0 if lasted >= _BEAT_SECONDS else _FIRST_PAUSE_SECONDS
            await asyncio.sleep(max(spread(pause), asked_wait))
            pause = _longer(pause)

    async def keep_polling(self, http: httpx.AsyncClient) -> NoReturn:
        """Poll once a second, from the first silent stream until a stream is steady; less often after failures."""
        pause = 0.0
        while True:
            await self._polling.wait()
            if self._stream.steady:
                self._end_polling()
                continue
            asked_wait = 0.0
            try:
                await self._poll.listen(http, poll=True)
                self._polled_at, pause = self._clock.monotonic(), 0.0
            except Exception as fault:  # every failure is logged and retried
                self._setup.note_failed(FEED, reasons.as_setup_fault(fault, http.base_url))
                pause, asked_wait = _longer(pause), _asked_to_wait(fault)
            await asyncio.sleep(max(spread(pause or POLL_SECONDS), asked_wait))

    def _note_failure(self, fault: Exception, http: httpx.AsyncClient) -> None:
        """Log the failure of a stream, unless polls log it, and begin to poll if that shows more of its cause."""
        fault = reasons.as_setup_fault(fault, http.base_url)
        self._count_failure(fault)
        silent, was_polling = isinstance(fault, httpx.ReadTimeout), self._polling.is_set()
        repeated = self._failures >= _FAILURES_BEFORE_POLLING
        if silent or repeated:
            self._polling.set()  # a poll shows whether a proxy or Vestibule fails
        # Only a poll shows the cause of the first silence. A second one is logged: a poll may take half a minute.
        first_silence = silent and not was_polling
        logged_by_polls = was_polling and not silent
        if self._polls_get_through(silent=silent, repeated=repeated):
            self._setup.note_held_back(fault)
        elif not first_silence and not logged_by_polls:
            self._setup.note_failed(FEED, fault)
        self._failed_at = self._clock.monotonic()

    def _count_failure(self, fault: Exception) -> None:
        """Count a stream that ended without a heartbeat, but not for a reason that would fail polls too."""
        polls_may_work = not self._stream.beats and not isinstance(fault, _FAILS_POLLS_TOO)
        self._failures = self._failures + 1 if polls_may_work else 0

    def _polls_get_through(self, *, silent: bool, repeated: bool) -> bool:
        """Return whether a poll was answered while streams fail: since the silence of this stream began, or, after
        `repeated` failures of another kind, since the stream before this one failed.
        """
        if silent:
            return self._clock.monotonic() - self._polled_at < _SILENT_SECONDS
        return repeated and self._polled_at > self._failed_at

    def _end_polling(self) -> None:
        self._polling.clear()
        self._setup.note_streaming()


def _asked_to_wait(fault: Exception) -> float:
    """Return for how many seconds Vestibule asks to wait, at most `MAX_PAUSE_SECONDS`."""
    return min(fault.retry_after, MAX_PAUSE_SECONDS) if isinstance(fault, TooManyServicesError) else 0.0


def _longer(pause: float) -> float:
    return min(max(2 * pause, _FIRST_PAUSE_SECONDS), MAX_PAUSE_SECONDS)
