"""Keep reading the feed: as a stream, and by polling while something in between holds the stream back."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

import httpx

from vestibule.client import reasons, wire
from vestibule.client.errors import TooManyServicesError
from vestibule.client.feed_reader import FeedReader
from vestibule.client.setup import FEED, Setup
from vestibule.crypto.entropy import spread
from vestibule.model.clock import Clock

POLL_SECONDS = 1.0
MAX_PAUSE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.5
_BEAT_SECONDS = 1.0
_SILENT_SECONDS = wire.READ_SECONDS - _BEAT_SECONDS
"""How long Vestibule is silent at least when a stream ends for silence: an outage may begin just before a heartbeat."""


class FeedFollower:
    """Follows the feed for one service, by one reader for the stream and another for polls (docs/protocol/README.md).

    A proxy that collects a stream before it passes it on looks like a Vestibule that does not answer, whether it holds
    all of it back or all but the beginning. So when a stream falls silent, polls begin beside the attempts to stream.
    They end when a stream has brought heartbeats for longer than such a silence lasts.
    """

    def __init__(self, reader: Callable[[], FeedReader], setup: Setup, clock: Clock) -> None:
        self._stream, self._poll = reader(), reader()
        self._setup = setup
        self._clock = clock
        self._polling = asyncio.Event()
        self._polled_at = float("-inf")

    async def keep_streaming(self, http: httpx.AsyncClient) -> NoReturn:
        """Stream forever. Reconnect after each end: at once if heartbeats came, otherwise after pauses that grow to
        five seconds, and vary by a fifth.
        """
        pause = 0.0
        while True:
            begun, wait = self._clock.monotonic(), 0.0
            try:
                await self._stream.listen(http)
            except Exception as fault:  # every failure is logged and retried
                self._note_failure(fault, http)
                wait = _asked_to_wait(fault)
            if self._stream.beats:
                lasted = self._clock.monotonic() - begun
                pause = 0.0 if lasted >= _BEAT_SECONDS else _FIRST_PAUSE_SECONDS
            await asyncio.sleep(max(spread(pause), wait))
            pause = _longer(pause)

    async def keep_polling(self, http: httpx.AsyncClient) -> NoReturn:
        """Poll once a second while streams fall silent; after failures, less often."""
        pause = 0.0
        while True:
            await self._polling.wait()
            if self._stream.steady:
                self._end_polling()
                continue
            wait = 0.0
            try:
                await self._poll.listen(http, poll=True)
                self._polled_at, pause = self._clock.monotonic(), 0.0
            except Exception as fault:  # every failure is logged and retried
                self._setup.failed(FEED, reasons.explained(fault, http.base_url))
                pause, wait = _longer(pause), _asked_to_wait(fault)
            await asyncio.sleep(max(spread(pause or POLL_SECONDS), wait))

    def _note_failure(self, fault: Exception, http: httpx.AsyncClient) -> None:
        silent = isinstance(fault, httpx.ReadTimeout)
        if silent:
            self._polling.set()  # a poll tells who is silent, a proxy or Vestibule
        elif not self._polling.is_set():
            self._setup.failed(FEED, reasons.explained(fault, http.base_url))
        if silent and self._clock.monotonic() - self._polled_at < _SILENT_SECONDS:
            self._setup.held_back()

    def _end_polling(self) -> None:
        self._polling.clear()
        self._setup.streams()


def _asked_to_wait(fault: Exception) -> float:
    """Return for how many seconds Vestibule asks to wait, and not more than the longest pause."""
    return min(fault.retry_after, MAX_PAUSE_SECONDS) if isinstance(fault, TooManyServicesError) else 0.0


def _longer(pause: float) -> float:
    return min(max(2 * pause, _FIRST_PAUSE_SECONDS), MAX_PAUSE_SECONDS)
