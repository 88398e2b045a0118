"""Refresh as a game: a browser with many tabs on a bad network, a thief beside it, and the server they ask."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.harness.clock import ManualClock
from tests.harness.world import POLICY
from vestibule.model.sessions import MAX_LIVE_SUCCESSORS

GRACE = POLICY.sessions.refresh_grace
LIFE = POLICY.access_lifetime
APART = GRACE + timedelta(seconds=1)
# From sending a request to its answer. Later than this, a browser and a thief look the same from here:
# `test_the_latest_answer_that_does_no_harm` shows it.
LATEST = LIFE / 2
# A browser in use gets through before the session is idle, and before it has asked more often than is allowed.
TIMEOUTS = timedelta(minutes=20)
MOST_REQUESTS = MAX_LIVE_SUCCESSORS - 2


class Server(Protocol):
    """What decides about one session, whose first counter is 1."""

    clock: ManualClock

    def present(self, counter: int) -> int | None:
        """The counter that is given for this one; None if there is none."""

    def step_up(self) -> int:
        """The counter that is given to whoever proves again who is there."""


@dataclass(eq=False)
class Exchange:
    """A refresh under way, or a step-up, which presents no counter. `given` and `due_at` are the answer's, once the
    server has seen the request.
    """

    presented: int
    sent_at: datetime
    given: int | None = None
    due_at: datetime | None = None


@dataclass
class Browser:
    """Tabs on one cookie jar, which keeps whatever arrives last. A refresh is due when its access token is over."""

    server: Server
    latest: timedelta = LATEST
    jar: int = 1
    refused: bool = False
    successes: int = 0
    unanswered: int = 0
    under_way: list[Exchange] = field(default_factory=list)
    record: list[tuple[datetime, int, int | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.due_at = self.server.clock.now() + LIFE

    @property
    def may_ask(self) -> bool:
        return self.server.clock.now() >= self.due_at and self.unanswered < MOST_REQUESTS

    def send(self) -> Exchange:
        self.unanswered += 1
        self.under_way.append(Exchange(self.jar, self.server.clock.now()))
        return self.under_way[-1]

    def step_up(self) -> None:
        """Served at once, because a person waits for it; its answer comes as late as any other."""
        now = self.server.clock.now()
        self.under_way.append(Exchange(NO_COUNTER, now, self.server.step_up(), now + LIFE))

    def serve(self, exchange: Exchange) -> None:
        now = self.server.clock.now()
        exchange.given, exchange.due_at = self.server.present(exchange.presented), now + LIFE
        self.record.append((now, exchange.presented, exchange.given))
        self.refused |= exchange.given is None
        self.successes += exchange.given is not None

    def arrive(self, exchange: Exchange) -> None:
        self.lose(exchange)
        self.unanswered = 0
        if exchange.given is not None and exchange.due_at is not None:
            self.jar, self.due_at = exchange.given, exchange.due_at

    def lose(self, exchange: Exchange) -> None:
        self.under_way.remove(exchange)

    def refresh_promptly(self) -> None:
        exchange = self.send()
        self.serve(exchange)
        self.arrive(exchange)

    def refresh_when_due(self) -> None:
        while self.server.clock.now() < self.due_at:
            self.pass_time(self.due_at - self.server.clock.now())
        self.refresh_promptly()

    def pass_time(self, duration: timedelta) -> None:
        """What has been under way for the longest time allowed arrives meanwhile. No time passes backwards."""
        end = self.server.clock.now() + max(duration, timedelta())
        while self.under_way and self.under_way[0].sent_at + self.latest <= end:
            oldest = self.under_way[0]
            self._until(oldest.sent_at + self.latest)
            if oldest.due_at is None:
                self.serve(oldest)
            self.arrive(oldest)
        self._until(end)

    def _until(self, moment: datetime) -> None:
        self.server.clock.advance(seconds=(moment - self.server.clock.now()).total_seconds())


REFUSED = NO_COUNTER = 0

# Around the grace, between two tabs, and up to the next refresh.
waits = st.sampled_from([1, 9, 10, 11, 30, 120, 449, 450, 600, 899]).map(lambda seconds: timedelta(seconds=seconds))
picks = st.integers(0, 63)


class InUse(RuleBasedStateMachine):
    """What happens to every browser: answers arrive in any order or get lost, and time goes by."""

    def __init__(self, server: Callable[[], Server]) -> None:
        super().__init__()
        self.browser = Browser(server())

    @precondition(lambda self: any(e.due_at for e in self.browser.under_way))
    @rule(pick=picks, lost=st.booleans())
    def arrive_or_get_lost(self, pick: int, lost: bool) -> None:
        answered = [e for e in self.browser.under_way if e.due_at]
        (self.browser.lose if lost else self.browser.arrive)(answered[pick % len(answered)])

    @rule(duration=waits)
    def wait(self, duration: timedelta) -> None:
        if self.browser.server.clock.now() > self.browser.due_at + TIMEOUTS:
            self.get_through()
        self.browser.pass_time(duration)

    def get_through(self) -> None:
        """One refresh that nothing delays."""
        self.browser.refresh_promptly()


class HonestClients(InUse):
    """Nobody but the browser has the token, and so it is never refused."""

    @precondition(lambda self: self.browser.may_ask)
    @rule(at_once=st.booleans())
    def send(self, at_once: bool) -> None:
        exchange = self.browser.send()
        if at_once:
            self.browser.serve(exchange)

    @precondition(lambda self: self.browser.server.clock.now() < self.browser.due_at)
    @rule()
    def step_up(self) -> None:
        """In a tab whose access token is still good, while others refresh."""
        self.browser.step_up()

    @precondition(lambda self: any(e.due_at is None for e in self.browser.under_way))
    @rule(pick=picks)
    def serve(self, pick: int) -> None:
        waiting = [e for e in self.browser.under_way if e.due_at is None]
        self.browser.serve(waiting[pick % len(waiting)])

    @invariant()
    def nobody_is_signed_out(self) -> None:
        assert not self.browser.refused


class BesideAThief(InUse):
    """A thief copies the jar and goes on by himself, never within the grace of the browser: once each has
    refreshed twice, one of them is refused at the next attempt.
    """

    def __init__(self, server: Callable[[], Server]) -> None:
        super().__init__(server)
        self.over = False
        self.stolen: int | None = None
        self.thief_successes = 0
        self.order = [self.get_through, self.thief_refreshes]
        self.last_asked: tuple[str, datetime] | None = None

    @initialize(thief_first=st.booleans())
    def begin(self, thief_first: bool) -> None:
        if thief_first:
            self.order.reverse()

    @precondition(lambda self: self.stolen is None)
    @rule()
    def steal(self) -> None:
        self.stolen = self.browser.jar
        self.browser.successes = 0

    @precondition(lambda self: not self.over and self.browser.may_ask)
    @rule()
    def send(self) -> None:
        self._keep_apart("browser")
        self.browser.serve(self.browser.send())

    @precondition(lambda self: not self.over and self.stolen is not None)
    @rule()
    def thief_refreshes(self) -> None:
        self._keep_apart("thief")
        self.stolen = self.browser.server.present(self.stolen or REFUSED) or REFUSED
        self.thief_successes += self.stolen != REFUSED

    def get_through(self) -> None:
        self.browser.pass_time(self.browser.due_at - self.browser.server.clock.now())
        self._keep_apart("browser")
        self.browser.refresh_promptly()

    @invariant()
    def not_both_are_alive(self) -> None:
        if not self.over and min(self.browser.successes, self.thief_successes) >= 2:
            self.over = True
            self._each_tries()
            assert self._one_is_refused()
        self.over |= self._one_is_refused()

    def teardown(self) -> None:
        """No run ends before each has refreshed twice, or one has been refused."""
        if self.stolen is None:
            self.steal()
        while not self.over:
            self._each_tries()
            self.not_both_are_alive()

    def _each_tries(self) -> None:
        for attempt in self.order:
            attempt()

    def _one_is_refused(self) -> bool:
        return self.browser.refused or self.stolen == REFUSED

    def _keep_apart(self, party: str) -> None:
        if self.last_asked and self.last_asked[0] != party:
            self.browser.pass_time(self.last_asked[1] + APART - self.browser.server.clock.now())
        self.last_asked = party, self.browser.server.clock.now()


def dice(seed: int) -> Iterator[float]:
    """Numbers from 0 to 1, the same for the same seed."""
    for number in count():
        yield int.from_bytes(sha256(f"{seed} {number}".encode()).digest()[:6]) / 2**48
