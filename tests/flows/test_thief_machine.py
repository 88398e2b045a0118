"""M15, M16: a thief of a password and a session asks, an owner recovers, an operator disables, in any order, and a mail
server holds back letters to the thief as long as it likes. After a recovery nothing that was asked before it happens.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from tests.flows import DONE, PASSWORD, confirm, twice
from tests.harness.backends import Backend
from tests.harness.world import BASE, World, world_on
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.deliver import deliver_next
from vestibule.flows.look_after_mail import retry_letters
from vestibule.model.letters import TOKEN_IN, Letter, LetterKind, NotSent, RefusedForGood
from vestibule.storage.sql.schema import accounts, letters

VERIFY, RESET = LetterKind.VERIFY_ADDRESS, LetterKind.RESET_PASSWORD
CONFIRM, CHANGED = LetterKind.CONFIRM_NEW_ADDRESS, LetterKind.ADDRESS_CHANGED
# A story that fails is told as it was found: making it shorter takes minutes.
SEARCH = settings(
    max_examples=25,
    derandomize=True,
    stateful_step_count=20,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
_people = count()


@dataclass
class Mailboxes:
    """A mail server: what it does with letters to the thief, and what has arrived, each with when it was asked for."""

    world: World
    thief: str
    answer: type[NotSent] | None = None
    arrived: list[tuple[Letter, datetime]] = field(default_factory=list)

    async def send(self, letter: Letter) -> str:
        if letter.to == self.thief and self.answer is not None:
            raise self.answer("not now")
        if letter.kind in TOKEN_IN:
            query = select(letters.c.created_at).where(letters.c.id == letter.id)
            async with self.world.engines.reading() as connection:
                self.arrived.append((letter, (await connection.execute(query)).scalar_one()))
        return "taken"


class Story:
    """One account, its owner's mailbox and the thief's."""

    def __init__(self, runner: asyncio.Runner, world: World) -> None:
        self.run, self.world = runner.run, world
        self.mine = f"person{next(_people)}@example.com"
        self.his = f"thief.{self.mine}"
        self.post = Mailboxes(world, self.his)
        self.env = replace(world.env, post=self.post)
        self.run(world.register(self.mine))
        code = world.secret(VERIFY)
        self.mine_browser, self.his_browser = (self.run(world.client(origin=BASE)) for _ in range(2))
        assert self.run(self.mine_browser.get(f"/api/auth/verifyemail/{code}")).status_code == 200
        assert self.sign_in(self.his_browser, self.mine, PASSWORD)
        self.account_id = self.row("id", accounts.c.address == self.mine)

    def sign_in(self, browser: Any, email: str, password: str) -> bool:
        body = {"email": email, "password": password}
        return bool(self.run(browser.post("/api/auth/login", json=body)).status_code == 200)

    def row(self, column: str, where: Any) -> Any:
        async def read() -> Any:
            async with self.world.engines.reading() as connection:
                return (await connection.execute(select(accounts.c[column]).where(where))).scalar_one()

        return self.run(read())

    def of_account(self, column: str) -> Any:
        return self.row(column, accounts.c.id == self.account_id)

    async def deliver(self) -> None:
        while await deliver_next(self.env):
            pass


class Thief(RuleBasedStateMachine):
    """Whoever may do something does it at any time."""

    def __init__(self, begin: Callable[[], Story]) -> None:
        super().__init__()
        self.story = begin()
        self.recovered = self.disabled = False
        self.trust_ended = self.ways_back_ended = self.now
        self.password: str | None = PASSWORD
        self.passwords = count()

    @property
    def now(self) -> datetime:
        return self.story.world.clock.now()

    @rule(minutes=st.sampled_from((6, 6, 6, 1500)), takes=st.sampled_from((True, True, False)), again=st.booleans())
    def time_passes_and_letters_arrive(self, minutes: int, takes: bool, again: bool) -> None:
        """The thief's mail server may take them by now, and an operator may try the refused ones again."""
        self.story.world.clock.advance(minutes=minutes)
        self.story.post.answer = None if takes else self.story.post.answer
        if again:
            self.story.run(retry_letters(self.story.env, None))
        self.story.run(self.story.deliver())

    @initialize(answer=st.sampled_from((NotSent, RefusedForGood)))
    def it_begins(self, answer: type[NotSent]) -> None:
        self.the_thief_asks_to_move_it(answer)

    @rule(answer=st.sampled_from((None, NotSent, RefusedForGood)))
    def the_thief_asks_to_move_it(self, answer: type[NotSent] | None) -> None:
        """His mail server takes the letter, or puts it off, or refuses it until an operator tries again."""
        self._tick()
        self.story.post.answer = answer
        if not self.recovered:
            self.story.sign_in(self.story.his_browser, self.story.mine, PASSWORD)
        body = {"currentPassword": PASSWORD, "email": self.story.his}
        status = self.story.run(self.story.his_browser.patch("/api/users/me/email", json=body)).status_code
        assert status != 200 or not self.recovered
        self.story.run(self.story.deliver())

    @rule(path=st.sampled_from(("forgotpassword", "verifyemail")), to_thief=st.booleans())
    def anybody_asks_for_a_letter(self, path: str, to_thief: bool) -> None:
        self._tick()
        body = {"email": self.story.his if to_thief else self.story.mine}
        self.story.run(self.story.his_browser.post(f"/api/auth/{path}", json=body))

    @rule(which=st.integers(0, 1))
    def the_thief_signs_in_and_uses_a_link(self, which: int) -> None:
        self._tick()
        for email in (self.story.mine, self.story.his):
            if self.story.sign_in(self.story.his_browser, email, PASSWORD):
                assert not self.recovered
                assert not self.disabled
        self._use(self.story.his, which, "the thief's own")

    @rule(which=st.integers(0, 2))
    def the_owner_uses_a_link(self, which: int) -> None:
        self._use(self.story.mine, which, f"the owner's own {next(self.passwords)}")

    @rule(by_mail=st.booleans())
    def the_owner_has_another_password(self, by_mail: bool) -> None:
        if by_mail:
            self.anybody_asks_for_a_letter("forgotpassword", to_thief=False)
            self.story.run(self.story.deliver())
            self._use(self.story.mine, 0, f"the owner's own {next(self.passwords)}")
        else:
            self._change_password()

    @rule(for_long=st.booleans())
    def an_operator_disables_it_or_enables_it(self, for_long: bool) -> None:
        self._toggle()
        if self.disabled and not for_long:
            self._toggle()

    def _toggle(self) -> None:
        self._tick()
        flow = enable_account if self.disabled else disable_account

        async def act() -> None:
            async with self.story.env.store.reading() as read:
                account = await read.accounts.get(self.story.account_id)
            assert account is not None
            await flow(self.story.env, account)

        self.story.run(act())
        self.disabled = not self.disabled
        self.trust_ended = self.ways_back_ended = self.now

    @invariant()
    def the_account_is_whose_it_is(self) -> None:
        if self.recovered:
            assert self.story.of_account("address") == self.story.mine
            assert self.story.run(self.story.his_browser.get("/api/users/me")).status_code == 401

    def _change_password(self) -> None:
        self._tick()
        known = self.password
        if self.disabled or known is None or not self.story.sign_in(self.story.mine_browser, self.story.mine, known):
            return
        password = f"the owner's own {next(self.passwords)}"
        body = {"currentPassword": known, **twice(password)}
        if self.story.run(self.story.mine_browser.patch("/api/users/me/password", json=body)).status_code == 200:
            self._recovered(password)

    def _use(self, mailbox: str, which: int, password: str) -> None:
        """Use one of the links that arrived there, the newest first."""
        self._tick()
        there = [(letter, asked) for letter, asked in self.story.post.arrived if letter.to == mailbox][::-1]
        if not there:
            return
        letter, asked = there[which % len(there)]
        if not self._spent(letter, password):
            return
        assert not self.disabled
        ended = self.ways_back_ended if letter.kind is CHANGED else self.trust_ended
        assert asked >= ended, letter.kind
        assert not (self.recovered and mailbox == self.story.his)
        if letter.kind is not VERIFY:
            self._happened(letter.kind, mailbox, password)

    def _spent(self, letter: Letter, password: str) -> bool:
        secret, browser = letter.link.rpartition("/")[2], self.story.mine_browser
        if letter.kind is VERIFY:
            return bool(self.story.run(browser.get(f"/api/auth/verifyemail/{secret}")).status_code == 200)
        if letter.kind is CONFIRM:
            browsers = (self.story.his_browser, self.story.mine_browser)
            return any(self.story.run(confirm(each, secret)) == DONE for each in browsers)
        paths = {RESET: "resetpassword", CHANGED: "undoemail"}
        form = twice(password) if letter.kind is RESET else {}
        return bool(self.story.run(browser.post(f"/{paths[letter.kind]}/{secret}", data=form)).status_code == DONE)

    def _happened(self, kind: LetterKind, mailbox: str, password: str) -> None:
        self.trust_ended = self.now
        if kind is RESET and mailbox == self.story.mine:
            self._recovered(password)
        if kind is CHANGED:
            self.password, self.recovered = None, True

    def _recovered(self, password: str) -> None:
        self.password, self.recovered, self.trust_ended = password, True, self.now

    def _tick(self) -> None:
        self.story.world.clock.advance(seconds=1)


@pytest.fixture
def begin(backend: Backend) -> Iterator[Callable[[], Story]]:
    """Begins stories, each about another account, on each backend."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        world = runner.run(stack.enter_async_context(world_on(backend)))
        try:
            yield lambda: Story(runner, world)
        finally:
            runner.run(stack.aclose())


def test_m15_m16_after_a_recovery_nothing_asked_before_it_happens(begin: Callable[[], Story], backend: Backend) -> None:
    # The rule is the same on both; the races of PostgreSQL are looked at in tests/races.
    examples = 25 if backend.database_url.startswith("sqlite") else 6
    run_state_machine_as_test(lambda: Thief(begin), settings=settings(SEARCH, max_examples=examples))
