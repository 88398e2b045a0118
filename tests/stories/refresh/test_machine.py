"""Innocents are never signed out and thieves are, whatever the network does: generated, simulated, and compared
between the table in memory and the real flow on both databases.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.rounds import rounds
from tests.harness.world import POLICY, World, world_on
from tests.stories.refresh.machine import (
    GRACE,
    LATEST,
    LIFE,
    BesideAThief,
    Browser,
    Exchange,
    HonestClients,
    Server,
    dice,
)
from vestibule.flows.identify import Caller
from vestibule.flows.issue_tokens import Tokens
from vestibule.flows.refresh import refresh
from vestibule.flows.sign_in import sign_in
from vestibule.flows.step_up import step_up_by_password
from vestibule.model import refresh_tokens
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import RefreshRefused
from vestibule.model.sessions import MAX_LIVE_SUCCESSORS, Device

MACHINES = (HonestClients, BesideAThief)
TABLE = settings(max_examples=150, stateful_step_count=50, deadline=None, database=None)
REAL = settings(TABLE, max_examples=rounds(200, suite=15), stateful_step_count=40)
SECOND = timedelta(seconds=1)
# Around the grace; all together less than the idle limit.
MOMENTS = (0, 1, 9.999999, 10, 10.000001, 60, 120)
TABS = 4
USED = timedelta(hours=5.5)
# How late an answer may come, and what share of requests and answers is lost.
PROMPT = (1 * SECOND, 0.0)
NETWORKS = (PROMPT, (30 * SECOND, 0.02), (300 * SECOND, 0.05))
RUNS = 100
# Tabs find out one after the other that a refresh is due.
SPREAD = timedelta(seconds=20)

Network = tuple[timedelta, float]
Record = list[tuple[datetime, int, int | None]]


@dataclass
class Table:
    """The table of `flows.refresh`, in memory."""

    clock: ManualClock = field(default_factory=ManualClock)
    base: int = 0
    parent: int = 0
    current: int = 1
    over: bool = False

    def __post_init__(self) -> None:
        self.issued_at = self.clock.now()

    def present(self, counter: int) -> int | None:
        late = self.clock.now() - self.issued_at > GRACE
        live = self.base < counter <= self.current
        full = self.current - self.base >= MAX_LIVE_SUCCESSORS
        if self.over or not (live or counter == self.parent) or (late and full and not live):
            self.over = True
            return None
        if live:
            self.parent, self.base = counter, self.current
        if live or late:
            self.current, self.issued_at = self.current + 1, self.clock.now()
        return self.current

    def step_up(self) -> int:
        """The current counter once more, as if its answer had got lost."""
        self.issued_at = self.clock.now()
        return self.current


class Advancing(Table):
    """What a step-up must not do: use up the current counter, as a refresh does."""

    def step_up(self) -> int:
        self.parent, self.base, self.current = self.current, self.current, self.current + 1
        return super().step_up()


class OneSuccessor(Table):
    """What many others do: the last token counts, its predecessor within the grace, and anything else is theft."""

    grace = GRACE

    def present(self, counter: int) -> int | None:
        raced = counter == self.current - 1 and self.clock.now() - self.issued_at <= self.grace
        if self.over or not (raced or counter == self.current):
            self.over = True
            return None
        if not raced:
            self.current, self.issued_at = self.current + 1, self.clock.now()
        return self.current


class Strict(OneSuccessor):
    grace = -SECOND  # not even at the same moment


class Lockstep(Table):
    """Ours, except that a successor's siblings stay alive: a clone may live on."""

    def present(self, counter: int) -> int | None:
        self.base = min(self.base, counter - 1)
        return super().present(counter)


class Real:
    """The real flow and store. A counter must be the same text each time it is given, except after a step-up."""

    def __init__(self, runner: asyncio.Runner, world: World) -> None:
        self.clock = world.clock
        self._runner, self._env = runner, world.env
        signed_in = runner.run(sign_in(world.env, "ada@example.com", "correct horse", ClientInfo(Device("", ""))))
        self._caller = Caller(signed_in.session.id, signed_in.account, signed_in.session.idle_expires_at)
        self._texts = {1: signed_in.tokens.refresh_token or ""}
        self._given = dict(self._texts)

    def present(self, counter: int) -> int | None:
        try:
            tokens = self._runner.run(refresh(self._env, self._texts[counter], Device("", "")))
        except RefreshRefused:
            return None
        text, counter = self._read(tokens)
        assert self._given.setdefault(counter, text) == text
        return counter

    def step_up(self) -> int:
        tokens = self._runner.run(
            step_up_by_password(self._env, self._caller, "correct horse", ClientInfo(Device("", "")))
        )
        self._given.clear()
        return self._read(tokens)[1]

    def _read(self, tokens: Tokens) -> tuple[str, int]:
        text = tokens.refresh_token or ""
        issued = refresh_tokens.read(text, POLICY.issuer, self._env.keys.refresh, self.clock.now())
        self._texts[issued.counter] = text
        return text, issued.counter


@pytest.fixture
def real(backend: Backend) -> Iterator[Callable[[], Server]]:
    """Makes sessions, each of them new, on each backend."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        world = runner.run(stack.enter_async_context(world_on(backend)))
        try:
            runner.run(world.register())
            yield lambda: Real(runner, world)
        finally:
            runner.run(stack.aclose())


@pytest.mark.parametrize("machine", MACHINES)
def test_the_table_keeps_the_promise(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(lambda: machine(Table), settings=TABLE)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_real_flow_keeps_the_promise(machine: type[RuleBasedStateMachine], real: Callable[[], Server]) -> None:
    """R3, R4, F23: the real flow keeps the promise."""
    run_state_machine_as_test(lambda: machine(real), settings=REAL)


@pytest.mark.parametrize(
    ("machine", "table"), [(HonestClients, OneSuccessor), (HonestClients, Advancing), (BesideAThief, Lockstep)]
)
def test_a_broken_promise_is_found(machine: type[RuleBasedStateMachine], table: type[Table]) -> None:
    search = settings(TABLE, phases=[Phase.generate], derandomize=True)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(lambda: machine(table), settings=search)


@settings(REAL, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=[(None, 11)] * 18)
@given(steps=st.lists(st.tuples(st.none() | st.integers(0, 4), st.sampled_from(MOMENTS)), max_size=25))
def test_the_real_flow_decides_as_the_table(real: Callable[[], Server], steps: list[tuple[int | None, float]]) -> None:
    """R3, R4: the real flow decides as the table."""
    flow = real()
    table = Table(flow.clock)
    for age, seconds in steps:
        flow.clock.advance(seconds=seconds)
        counter = max(table.parent if age is None else table.current - age, 1)
        assert flow.present(counter) == table.present(counter)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_real_flow_fares_as_the_table(network: Network, real: Callable[[], Server]) -> None:
    flow = real()
    table = Table(copy(flow.clock))
    assert simulate(flow, network, seed=1) == simulate(table, network, seed=1)
    assert not table.over


@pytest.mark.parametrize("network", NETWORKS)
def test_hours_with_many_tabs_sign_nobody_out(network: Network) -> None:
    signed_out = {}
    for design in (Table, OneSuccessor, Strict):
        tables = [design() for _ in range(RUNS)]
        for seed, table in enumerate(tables):
            simulate(table, network, seed)
        signed_out[design] = sum(table.over for table in tables)
    assert signed_out[Table] == 0
    assert (signed_out[OneSuccessor] > RUNS / 2) is (network != PROMPT)
    assert signed_out[Strict] > RUNS / 2


def test_a_thief_is_caught_in_every_run() -> None:
    tables = [Table() for _ in range(RUNS)]
    for seed, table in enumerate(tables):
        simulate(table, PROMPT, seed, thief=True)
    assert all(table.over for table in tables)


@pytest.mark.parametrize(("latest", "refused"), [(LATEST, False), (LATEST + SECOND, True)])
def test_the_latest_answer_that_does_no_harm(latest: timedelta, refused: bool, real: Callable[[], Server]) -> None:
    """Half the life of an access token. Later than that, an answer may come when its sibling has been used."""
    assert late_sibling(real(), latest).refused == refused


def test_with_later_answers_an_innocent_asks_as_a_thief_does() -> None:
    """The same requests at the same moments: no table can spare the one and catch the other."""
    innocent = late_sibling(Table(), LATEST + SECOND)
    server = Table()
    owner, thief = Browser(server), Browser(server)
    owner.refresh_when_due()
    owner.pass_time(LATEST)
    thief.refresh_promptly()
    owner.refresh_when_due()
    thief.refresh_when_due()
    assert sorted(owner.record + thief.record) == innocent.record


def late_sibling(server: Server, latest: timedelta) -> Browser:
    """Two requests with one token, both answered as late as may be: the first answer is used, then the second."""
    browser = Browser(server, latest)
    browser.pass_time(LIFE)
    for pause in (latest - SECOND, SECOND):
        browser.serve(browser.send())
        browser.pass_time(pause)
    browser.refresh_when_due()
    browser.pass_time(SECOND)
    browser.refresh_when_due()
    return browser


def simulate(server: Server, network: Network, seed: int, thief: bool = False) -> Record:
    """Some hours of tabs on one jar that refresh when they must, until somebody is refused; what they asked."""
    latest, lost = network
    chance, users = dice(seed), [Browser(server)] * TABS
    start = users[0].due_at
    agenda: list[tuple[datetime, int, Exchange | None]] = [
        (start + SPREAD * next(chance), tab, None) for tab in range(TABS)
    ]
    agenda += [(start + USED / 4 * next(chance), TABS, None)] * thief
    heapify(agenda)
    while agenda[0][0] < start + USED and not any(user.refused for user in users):
        now, tab, exchange = heappop(agenda)
        users[0].pass_time(now - server.clock.now())
        if tab == len(users):
            users.append(Browser(server, jar=users[0].jar))
        user = users[tab]
        if not exchange and user.may_ask:
            exchange = user.send()
            if going := next(chance) >= lost / 2:
                user.serve(exchange)
            if not going or next(chance) < lost / 2:
                user.lose(exchange)
            heappush(agenda, (now + latest * next(chance), tab, exchange))
            continue
        if exchange in user.under_way:
            user.arrive(exchange)
        heappush(agenda, (max(user.due_at, now) + SPREAD * next(chance), tab, None))
    return users[0].record
