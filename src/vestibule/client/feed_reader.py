"""Read an answer of the feed: learn each revocation as it happens, and until when all are known."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from vestibule.client import feed_values, wire
from vestibule.client.errors import NotReachedError, NotVestibuleError
from vestibule.client.events import Event, EventParser
from vestibule.client.keys import MAX_KEYS
from vestibule.client.setup import FEED, Setup
from vestibule.crypto.entropy import new_id
from vestibule.model.clock import Clock
from vestibule.protocol.claims import Expected
from vestibule.protocol.clocks import MAX_APART_SECONDS, Clocks
from vestibule.protocol.revocations import Revoked

PATH = "/api/revocations"
PROTOCOL = 1
POLL_ANSWER_SECONDS = 30.0
"""How long the answer to a poll may take. The first one brings all that is revoked."""

_UNCERTAIN_SECONDS = 3.0  # how long connecting may take, which makes Vestibule's clock seem behind


class FeedReader:
    """Reads the feed, one answer after the other: a stream, or the answer to a poll. Calls `listed` with the ids of the
    keys in force and their moment by our clock, if Vestibule tells them, and `fresh` after each heartbeat.
    """

    def __init__(
        self,
        revoked: Revoked,
        clock: Clock,
        fresh: Callable[[], None],
        setup: Setup | None = None,
        listed: Callable[[list[str], float], object] | None = None,
        clocks: Clocks | None = None,
        expected: Expected | None = None,
    ) -> None:
        self._revoked = revoked
        self._clock = clock
        self._fresh = fresh
        self._setup = setup or Setup()
        self._listed = listed
        self._clocks = clocks or Clocks()
        self._expected = expected
        self.beats = 0
        """The heartbeats in this answer."""
        self.steady = False
        """Whether this answer is under way and has brought heartbeats for longer than a silence may last."""
        self._beating_since = 0.0
        self._cursor = ""
        self._nonce = ""
        self._sent_at = 0.0
        self._offset = float("-inf")

    async def listen(self, http: httpx.AsyncClient, *, poll: bool = False) -> None:
        """Read one answer to its end. Raises what ended it: `NotReachedError`, httpx's errors, and others for what
        Vestibule never sends.
        """
        self._sent_at, self.beats, self._nonce = self._clock.monotonic(), 0, new_id()
        self._offset = float("-inf")  # nothing is fresh until this process of Vestibule has told its clock
        params = {"after": self._cursor, "nonce": self._nonce, **({"poll": "1"} if poll else {})}
        how: dict[str, Any] = {"params": params, "headers": wire.ASK_ANEW, "extensions": {"trace": self._trace}}
        try:
            async with (
                asyncio.timeout(POLL_ANSWER_SECONDS if poll else None),
                http.stream("GET", PATH, **how) as answer,
            ):
                await wire.require_stream(answer)
                wire.require_first_hand(answer)
                await self._read_while_told(answer)
        finally:
            self.steady = False

    async def _read_while_told(self, answer: httpx.Response) -> None:
        """Read until the end, or until no event came for three seconds: a heartbeat comes every second, and what is no
        event, as a comment of a proxy, keeps a connection open for ever.
        """
        now = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(wire.READ_SECONDS) as silence:
                await self._read(answer, lambda: silence.reschedule(now() + wire.READ_SECONDS))
        except TimeoutError:
            raise httpx.ReadTimeout("") from None

    async def _read(self, answer: httpx.Response, happened: Callable[[], None]) -> None:
        reader = EventParser()
        async for piece in answer.aiter_raw():
            for event in reader.feed(piece):
                self.handle(event)
                happened()

    async def _trace(self, step: str, _info: dict[str, Any]) -> None:
        """Note when the request is sent, which is only after connecting."""
        if step.endswith("send_request_headers.started"):
            self._sent_at = self._clock.monotonic()

    def handle(self, event: Event) -> None:
        """Handle one event; raises `NotReachedError` for one that Vestibule never sends."""
        if event.name == "hello":
            self._greet(event.data)
        elif event.name == "revoked":
            self._revoked.learn(feed_values.revoked(event.data), self._clock.monotonic())
        elif event.name == "heartbeat":
            self._beat(event)

    def _beat(self, heartbeat: Event) -> None:
        said = heartbeat.data
        if self._offset == float("-inf"):
            raise NotReachedError("the feed sends a heartbeat before its greeting")
        true_at, cursor = feed_values.number(said.get("true_at")), feed_values.cursor(heartbeat.id)
        known_at = self._moment(true_at)
        if self._listed is not None and "keys" in said:
            self._listed(_ids(said["keys"]), self._moment(feed_values.number(said.get("keys_at", true_at))))
        # Measured at `true_at`: another process may lag behind the one that told before.
        if "clock" in said and known_at >= self._revoked.fresh_as_of:
            self._compare(feed_values.number(said["clock"]))
        self._revoked.renew(known_at)
        self._revoked.purge(self._clock.monotonic())
        self._cursor = cursor
        self._count()
        self._setup.worked(FEED)
        self._fresh()

    def _require_echo(self, hello: dict[str, Any]) -> None:
        """Raise `NotReachedError` for an answer to another request. One that a cache has kept, a stream too, proves how
        fresh it was for whoever asked then, and would prove it to us by the moment at which *we* asked.
        """
        if hello.get("nonce", "") != self._nonce:
            raise NotReachedError(f"{PATH} was answered as another request was: by {wire.A_CACHE}")

    def _moment(self, told: float) -> float:
        """Return a moment of Vestibule's clock by ours. It was this one or a later one, however long the event took."""
        return min(self._offset + told, self._clock.monotonic())

    def _count(self) -> None:
        now = self._clock.monotonic()
        if not self.beats:
            self._beating_since = now
        self.beats += 1
        self.steady = now - self._beating_since > wire.READ_SECONDS

    def _greet(self, hello: dict[str, Any]) -> None:
        if hello.get("protocol") != PROTOCOL:
            raise NotVestibuleError(f"the feed speaks protocol {hello.get('protocol')}, and this kit {PROTOCOL}")
        if self._expected is not None:
            feed_values.require_issuer_and_audience(hello, self._expected)
        self._require_echo(hello)
        self._offset = self._sent_at - feed_values.number(hello.get("now"))

    def _compare(self, clock: float) -> None:
        """Note what Vestibule's clock shows, and warn if ours differs too much."""
        self._clocks.note_offset(clock - self._offset)
        now, monotonic = self._clock.now().timestamp(), self._clock.monotonic()
        apart, leeway = (
            self._clocks.apart(now, monotonic),
            self._expected.leeway if self._expected else MAX_APART_SECONDS,
        )
        if abs(apart) > max(leeway, _UNCERTAIN_SECONDS):
            self._setup.clocks_differ(apart, leeway)


def _ids(said: object) -> list[str]:
    """Return the ids of keys, 64 at most; raises `TypeError` for anything else."""
    if not isinstance(said, list) or len(said) > MAX_KEYS or not all(isinstance(kid, str) for kid in said):
        raise TypeError("keys is a list of ids")
    return said
