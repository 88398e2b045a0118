"""Read responses of the feed: learn each revocation when it is sent, and the moment up to which all are known."""

from collections.abc import Callable
from typing import Any

import httpx

from vestibule.client import feed_values, wire
from vestibule.client.errors import NotReachedError, NotVestibuleError
from vestibule.client.events import Event, EventParser
from vestibule.client.feed_deadline import Deadline
from vestibule.client.setup import FEED, Setup
from vestibule.crypto.entropy import new_id
from vestibule.model.clock import Clock
from vestibule.protocol.claims import Expected
from vestibule.protocol.clocks import MAX_APART_SECONDS, Clocks
from vestibule.protocol.one_line import quoted
from vestibule.protocol.revocations import Revoked

PATH = "/api/revocations"
PROTOCOL = 1
POLL_ANSWER_SECONDS = 30.0
"""How long the answer to a poll may take. The answer to the first poll lists everything that is revoked, and
a proxy may collect it.
"""

BEGINNING_SECONDS = 60.0
"""How long a stream may take up to its first heartbeat: at first it lists everything that is revoked."""

STALENESS_SECONDS = 5.0
"""How old the known revocations may be, unless a service says otherwise."""

_CONNECTING_ANEW = "connecting anew, because another process of Vestibule may know it"
_UNCERTAIN_SECONDS = 3.0  # how long connecting may take, which makes Vestibule's clock seem behind


class FeedReader:
    """Reads the feed, one answer after the other: a stream, or the answer to a poll.

    Calls `on_heartbeat` after each heartbeat. First calls `on_keys` with the ids of the keys in force, and
    `on_permissions` with the version, if the heartbeat has them: each with its moment by our monotonic clock.
    """

    def __init__(
        self,
        revoked: Revoked,
        clock: Clock,
        on_heartbeat: Callable[[], None],
        setup: Setup | None = None,
        on_keys: Callable[[list[str], float], object] | None = None,
        clocks: Clocks | None = None,
        expected: Expected | None = None,
        staleness: float = STALENESS_SECONDS,
        on_permissions: Callable[[str, float], object] | None = None,
    ) -> None:
        self._revoked = revoked
        self._clock = clock
        self._on_heartbeat = on_heartbeat
        self._setup = setup or Setup()
        self._on_keys = on_keys
        self._on_permissions = on_permissions
        self._clocks = clocks or Clocks()
        self._expected = expected
        self._staleness = staleness
        self.beats = 0
        """How many heartbeats this answer has brought."""
        self.lags = False
        """Whether the last heartbeat was stale: what it said was known longer ago than `staleness`."""
        self._recent_at = clock.monotonic()  # when the last heartbeat came that was not stale
        self._known_at = float("-inf")  # the moment up to which the last heartbeat knew all revocations
        self.steady = False
        """Whether this answer is being read and has brought heartbeats for longer than a silence may last."""
        self._beating_since = 0.0
        self._cursor = ""
        self._poll_silence = wire.READ_SECONDS
        self._nonce = ""
        self._poll = False
        self._sent_at = 0.0
        self._offset = float("-inf")

    async def listen(self, http: httpx.AsyncClient, *, poll: bool = False) -> None:
        """Read one answer to its end. Raises what ended it: `NotReachedError`, httpx's errors, and others for what
        Vestibule never sends.
        """
        self._begin_answer(poll=poll)
        params = {"after": self._cursor, "nonce": self._nonce, **({"poll": "1"} if poll else {})}
        silence = self._longest_silence(poll=poll)
        deadline = Deadline(silence, POLL_ANSWER_SECONDS if poll else BEGINNING_SECONDS)

        async def trace(step: str, _info: dict[str, Any]) -> None:
            if self._note_sending(step):
                deadline.move()

        options: dict[str, Any] = {
            "params": params,
            "headers": wire.ASK_ANEW,
            "extensions": {"trace": trace},
            "timeout": httpx.Timeout(wire.READ_SECONDS, read=silence, connect=wire.CONNECT_SECONDS),
        }
        try:
            async with deadline.kept(), http.stream("GET", PATH, **options) as answer:
                await wire.require_stream(answer)
                wire.require_not_cached(answer)
                deadline.move()
                await self._read(answer, deadline)
        except httpx.ReadTimeout:
            self._poll_silence = min(2 * self._poll_silence, POLL_ANSWER_SECONDS)
            raise
        finally:
            self.steady = False

    def _begin_answer(self, *, poll: bool) -> None:
        """Reset what was noted about the last answer."""
        self._sent_at, self.beats, self._nonce = self._clock.monotonic(), 0, new_id()
        self.lags = False
        self._offset = float("-inf")  # unknown until `hello` has told the clock of this process of Vestibule
        self._poll = poll
        # A stream has `staleness` from now to send a recent heartbeat. A poll has not: each may reach another process.
        if not poll:
            self._recent_at = self._sent_at

    def _longest_silence(self, *, poll: bool) -> float:
        """Return for how many seconds no event may come. A proxy may buffer the answer to a poll to its end. That takes
        long if Vestibule lists everything: in the first answer, and if it does not know the cursor. Only the answer
        shows that, so each silent poll doubles the time for the next.
        """
        if not poll:
            return wire.READ_SECONDS
        return self._poll_silence if self._cursor else POLL_ANSWER_SECONDS

    async def _read(self, answer: httpx.Response, deadline: Deadline) -> None:
        """Read to the end. Raises `httpx.ReadTimeout` after a silence, `NotReachedError` if no heartbeat came."""
        reader = EventParser()
        async for piece in answer.aiter_raw():
            for event in reader.feed(piece):
                self.handle(event)
                self._require_no_long_lag()
                self._extend(deadline, event.name)
        if not self.beats:
            raise NotReachedError(f"{PATH} was answered to the end without a heartbeat")

    def _extend(self, deadline: Deadline, event: str) -> None:
        """Allow another silence after a heartbeat, which comes every second, and after a part of the beginning."""
        if event == "heartbeat" and not self._poll:
            deadline.lift_whole()
        if event == "heartbeat" or (event == "revoked" and not self.beats):
            deadline.move()

    def _note_sending(self, step: str) -> bool:
        """Return whether httpx, once connected, now sends the request; if so, note the moment."""
        sending = step.endswith("send_request_headers.started")
        if sending:
            self._sent_at = self._clock.monotonic()
        return sending

    def handle(self, event: Event) -> None:
        """Handle one event; raises `NotReachedError` for one that Vestibule never sends."""
        if event.name == "hello":
            self._handle_hello(event.data)
        elif event.name == "revoked":
            self._revoked.learn(feed_values.revoked(event.data), self._clock.monotonic())
        elif event.name == "heartbeat":
            self._handle_heartbeat(event)

    def _handle_heartbeat(self, heartbeat: Event) -> None:
        data = heartbeat.data
        if self._offset == float("-inf"):
            raise NotReachedError("the feed sends a heartbeat before its greeting")
        true_at, cursor = feed_values.number(data.get("true_at")), feed_values.cursor(heartbeat.id)
        known_at = self._by_our_clock(true_at)
        self._pass_on_lists(data, true_at)
        # Ignore the clock in an older heartbeat: this process of Vestibule may lag behind the one that answered before.
        if "clock" in data and known_at >= self._revoked.fresh_as_of:
            self._compare_clocks(feed_values.number(data["clock"]))
        self._revoked.renew(known_at)
        self._revoked.purge(self._clock.monotonic())
        self._cursor, self._poll_silence = cursor, wire.READ_SECONDS
        self._note_lag(known_at)
        self._count_heartbeat()
        if self.lags:
            self._setup.note_answered(FEED)
        else:
            self._setup.note_fetched(FEED)
        self._on_heartbeat()

    def _pass_on_lists(self, data: dict[str, Any], true_at: float) -> None:
        if self._on_keys is not None and "keys" in data:
            keys_at = feed_values.number(data.get("keys_at", true_at))
            self._on_keys(feed_values.key_ids(data["keys"]), self._by_our_clock(keys_at))
        if self._on_permissions is not None and "permissions" in data:
            known_at = feed_values.number(data.get("permissions_at", true_at))
            self._on_permissions(feed_values.version(data["permissions"]), self._by_our_clock(known_at))

    def _note_lag(self, known_at: float) -> None:
        """Note whether the process that answers lags behind. The answer to a poll says what was known when it began,
        however long a proxy buffered it.
        """
        now, self._known_at = self._clock.monotonic(), known_at
        self.lags = (self._sent_at if self._poll else now) - known_at > self._staleness
        if not self.lags:
            self._recent_at = now

    def _require_no_long_lag(self) -> None:
        """Raise `NotReachedError` if this process of Vestibule has sent only stale heartbeats for longer than
        `staleness`. Another process may know more, but a load balancer chooses one only for a new connection. The
        exception closes this connection, because the answer was not read to its end.
        """
        now = self._clock.monotonic()
        if self.lags and now - self._recent_at > self._staleness:
            seconds = now - self._known_at
            raise NotReachedError(
                f"it answers, but has not known its own record for {seconds:.0f} s; {_CONNECTING_ANEW}"
            )

    def _require_echo(self, hello: dict[str, Any]) -> None:
        """Raise `NotReachedError` if a cache answered with the response to another request: caches can keep even a
        stream. Moments in a response count from when its request was sent, so an old response would seem fresh.
        """
        if hello.get("nonce", "") != self._nonce:
            raise NotReachedError(f"{PATH} was answered as another request was: by {wire.A_CACHE}")

    def _by_our_clock(self, their_moment: float) -> float:
        """Return a moment of Vestibule's clock by our monotonic clock. The true moment may be later, never earlier."""
        return min(self._offset + their_moment, self._clock.monotonic())

    def _count_heartbeat(self) -> None:
        now = self._clock.monotonic()
        if not self.beats:
            self._beating_since = now
        self.beats += 1
        self.steady = not self.lags and now - self._beating_since > wire.READ_SECONDS

    def _handle_hello(self, hello: dict[str, Any]) -> None:
        if hello.get("protocol") != PROTOCOL:
            raise NotVestibuleError(
                f"the feed speaks protocol {quoted(hello.get('protocol'))}, and this kit {PROTOCOL}"
            )
        if self._expected is not None:
            feed_values.require_issuer_and_audience(hello, self._expected)
        self._require_echo(hello)
        self._offset = self._sent_at - feed_values.number(hello.get("now"))

    def _compare_clocks(self, clock: float) -> None:
        """Note what Vestibule's clock shows, and warn if ours differs too much."""
        self._clocks.note_offset(clock - self._offset)
        now, monotonic = self._clock.now().timestamp(), self._clock.monotonic()
        apart = self._clocks.apart(now, monotonic)
        leeway = self._expected.leeway if self._expected else MAX_APART_SECONDS
        if abs(apart) > max(leeway, _UNCERTAIN_SECONDS):
            self._setup.clocks_differ(apart, leeway)
