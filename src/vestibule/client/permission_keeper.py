"""Keep the document of permissions current: fetch it when the feed lists another version, or somebody needs it."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

import httpx

from vestibule.client import reasons, wire
from vestibule.client.errors import NotReachedError
from vestibule.client.permission_book import PermissionBook
from vestibule.client.throttled_warnings import ThrottledWarnings
from vestibule.crypto.entropy import spread
from vestibule.crypto.jwk import PublicKey
from vestibule.crypto.jws import InvalidToken
from vestibule.model.clock import Clock
from vestibule.protocol.claims import Expected
from vestibule.protocol.permissions import PATH, Permissions, read

BETWEEN_FETCHES_SECONDS = 1.0
_NOT_MODIFIED = 304


class PermissionKeeper:
    """Keeps `book` current while an event loop runs `keep`. One request is in flight at a time."""

    def __init__(
        self,
        book: PermissionBook,
        keys: Callable[[], Mapping[str, PublicKey]],
        expected: Expected,
        clock: Clock,
        warnings: ThrottledWarnings,
    ) -> None:
        self._book = book
        self._keys = keys
        self._expected = expected
        self._clock = clock
        self._warnings = warnings
        self._needed = asyncio.Event()
        self._etag = ""
        self._tried = False

    @property
    def is_settled(self) -> bool:
        """Return whether the document is there, was asked for in vain, or the feed lists none."""
        return self._tried or not self._book.listed

    def note_listed(self, version: str, as_of: float) -> None:
        """Note the version that the feed lists."""
        self._book.note_listed(version, as_of)
        if self._book.needs_fetch:
            self._needed.set()

    async def keep(self, http: httpx.AsyncClient, on_progress: Callable[[], None]) -> None:
        """Fetch the document whenever that is needed, until cancelled. Call `on_progress` after each attempt."""
        loop = asyncio.get_running_loop()
        self._book.on_need = lambda: _wake(loop, self._needed)
        while True:
            if not self._book.needs_fetch:
                await self._needed.wait()
            self._needed.clear()
            await self._try(http)
            on_progress()
            await asyncio.sleep(spread(BETWEEN_FETCHES_SECONDS))

    async def _try(self, http: httpx.AsyncClient) -> None:
        try:
            await self.fetch(http)
        except Exception as fault:  # every failure keeps what is known, for as long as it may be used
            self._warnings.warn("the permissions of roles could not be fetched", reasons.why(fault))
        self._tried = True

    async def fetch(self, http: httpx.AsyncClient) -> None:
        """Fetch the document, unless the one that is known is current. Raises `NotReachedError`, `TimeoutError` and
        httpx's errors.
        """
        sent_at = self._clock.monotonic()
        known, etag = self._book.document, self._etag
        asked = {"If-None-Match": etag} if known and etag else {}
        headers = {**wire.ASK_ANEW, **asked}
        async with asyncio.timeout(wire.ANSWER_SECONDS), http.stream("GET", PATH, headers=headers) as answer:
            as_of = sent_at - wire.age_of(answer)
            if known is None or answer.status_code != _NOT_MODIFIED:
                known, etag = self._read(await wire.text_of(answer)), answer.headers.get("ETag", "")
        self._book.learn(known, as_of)
        if self._book.document is known:  # the ETag of one that was ignored would have this one called current
            self._etag = etag

    def _read(self, text: str) -> Permissions:
        try:
            return read(text, self._keys(), self._expected)
        except InvalidToken:
            raise NotReachedError(f"{PATH} is not signed by a key in force, or not for this issuer") from None


def _wake(loop: asyncio.AbstractEventLoop, needed: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(needed.set)
