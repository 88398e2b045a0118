"""Follow the feed: learn what is revoked as it happens, and how fresh that is. Comes back by itself."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from vestibule.client import told, wire
from vestibule.client.errors import NotVestibuleError
from vestibule.client.events import Event, Reader
from vestibule.client.setup import FEED, Setup
from vestibule.crypto.entropy import spread
from vestibule.model.clock import Clock
from vestibule.protocol.clocks import Clocks
from vestibule.protocol.revocations import Revoked

PATH = "/api/revocations"
PROTOCOL = 1
MAX_PAUSE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.5
_WELL_SECONDS = 5.0


class Follower:
    """One service's place at the feed. `fresh` is called at each heartbeat; `listed` before it, with the ids of the
    keys in force, if Vestibule is of a version that tells them.
    """

    def __init__(
        self,
        revoked: Revoked,
        clock: Clock,
        fresh: Callable[[], None],
        setup: Setup | None = None,
        listed: Callable[[list[str]], None] | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self._revoked = revoked
        self._clock = clock
        self._fresh = fresh
        self._setup = setup or Setup()
        self._listed = listed
        self._clocks = clocks or Clocks()
        self._cursor = ""
        self._sent_at = 0.0
        self._offset = 0.0

    async def follow(self, http: httpx.AsyncClient) -> None:
        """Go on for ever. The pause grows from one failure to the next, and is moved by chance."""
        pause = 0.0
        while True:
            begun = self._clock.monotonic()
            try:
                await self._listen(http)
            except Exception as fault:  # whatever it is, it is tried again, and has been told
                self._setup.failed(FEED, wire.explained(fault, http.base_url))
            if self._clock.monotonic() - begun > _WELL_SECONDS:
                pause = 0.0
            await asyncio.sleep(spread(pause))
            pause = min(max(2 * pause, _FIRST_PAUSE_SECONDS), MAX_PAUSE_SECONDS)

    async def _listen(self, http: httpx.AsyncClient) -> None:
        self._sent_at, reader = self._clock.monotonic(), Reader()
        self._offset = float("-inf")  # until this process of Vestibule has said what its clock shows, nothing is fresh
        # A cut that looks like silence ends by the timeout of each read: a heartbeat comes every second.
        how: dict[str, Any] = {"params": {"after": self._cursor}, "extensions": {"trace": self._trace}}
        async with http.stream("GET", PATH, **how) as answer:
            wire.require_stream(answer)
            async for piece in answer.aiter_raw():
                for event in reader.feed(piece):
                    self.take(event)

    async def _trace(self, step: str, _info: dict[str, Any]) -> None:
        """Connecting may take its time; the request is sent when that is done."""
        if step.endswith("send_request_headers.started"):
            self._sent_at = self._clock.monotonic()

    def take(self, event: Event) -> None:
        """One event of the answer."""
        if event.name == "hello":
            self._greet(event.data)
        elif event.name == "revoked":
            self._revoked.learn(told.revoked(event.data), self._clock.monotonic())
        elif event.name == "heartbeat":
            if self._listed is not None and "keys" in event.data:
                self._listed(_ids(event.data["keys"]))
            # What was true at `true_at` there was true here no earlier than this, however long the word took.
            true_at = told.number(event.data.get("true_at"))
            cursor = told.cursor(event.id)
            if "clock" in event.data:
                self._compare(told.number(event.data["clock"]))
            self._revoked.renew(min(self._offset + true_at, self._clock.monotonic()))
            self._revoked.purge(self._clock.monotonic())
            self._cursor = cursor
            self._setup.worked(FEED)
            self._fresh()

    def _greet(self, hello: dict[str, Any]) -> None:
        if hello.get("protocol") != PROTOCOL:
            raise NotVestibuleError(f"the feed speaks protocol {hello.get('protocol')}, and this kit {PROTOCOL}")
        self._offset = self._sent_at - told.number(hello.get("now"))

    def _compare(self, clock: float) -> None:
        """Note what Vestibule's clock shows, and say so where ours is another."""
        self._clocks.learn(clock - self._offset)
        now, monotonic = self._clock.now().timestamp(), self._clock.monotonic()
        if not self._clocks.agree(now, monotonic):
            self._setup.clocks_differ(self._clocks.apart(now, monotonic))


def _ids(said: object) -> list[str]:
    """The ids of keys; raises `TypeError` for anything else."""
    if not isinstance(said, list) or not all(isinstance(kid, str) for kid in said):
        raise TypeError("keys is a list of ids")
    return said
