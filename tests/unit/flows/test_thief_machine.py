"""M15, M16: a thief of a password and a session asks, an owner recovers, takes over, moves and deletes, an operator
disables, in any order, and a mail server holds back letters to the thief as long as it likes. After a recovery nothing
that was asked before it happens, and after a deletion nothing at all.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from random import Random  # noqa: TID251  # seeded: the same stories every time
from typing import Any

import pytest
from sqlalchemy import select

from tests.harness.backends import Backend
from tests.harness.rounds import rounds
from tests.harness.world import BASE, World, world_on
from tests.unit.flows import DONE, PASSWORD, confirm, twice
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.delete_account import delete_account
from vestibule.flows.deliver import deliver_next
from vestibule.flows.find_people import find_account
from vestibule.flows.look_after_mail import retry_letters
from vestibule.model.accounts import Account
from vestibule.model.letters import TOKEN_PURPOSES, Letter, LetterKind, NotSent, RefusedForGood
from vestibule.model.one_time_tokens import UNDO_MAILED_WITHIN
from vestibule.model.operators import COMMAND_LINE
from vestibule.storage.sql.schema import accounts, letters

VERIFY, RESET = LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD
CONFIRM, CHANGED = LetterKind.CONFIRM_NEW_EMAIL, LetterKind.EMAIL_CHANGED
# What may happen, how often, and the ways it can be done.
DEEDS: tuple[tuple[str, int, dict[str, tuple[Any, ...]]], ...] = (
    ("time_passes_and_letters_arrive", 2, {"minutes": (6, 6, 6, 1500), "takes": (True, True, False), "again": (0, 1)}),
    ("the_thief_asks_to_move_it", 3, {"answer": (None, NotSent, RefusedForGood)}),
    ("anybody_asks_for_a_letter", 2, {"path": ("forgotpassword", "verifyemail"), "to_thief": (False, False, True)}),
    ("the_thief_signs_in_and_uses_a_link", 3, {"which": (0, 1)}),
    ("the_thief_registers_an_email_of_the_owners_and_deletes_that", 1, {"which": (0, 1)}),
    ("the_owner_uses_a_link", 3, {"which": (0, 1, 2), "second": (False, False, True)}),
    ("the_owner_takes_it_over", 2, {"which": (0, 1)}),
    ("the_owner_moves_it", 2, {"confirms": (False, True, True)}),
    ("it_is_deleted", 1, {"really": (0, 1, 2, 3)}),
    ("the_owner_has_another_password", 1, {"by_mail": (False, True)}),
    ("an_operator_disables_it_or_enables_it", 1, {"for_long": (False, True)}),
)
STORIES, STEPS = rounds(100, suite=25), 25
EVERYTHING = {
    f"{CONFIRM} by the owner",
    f"{CONFIRM} by the thief",
    f"{RESET} by the owner",
    f"{CHANGED} by the owner",
    "taken over",
    "deleted",
    "registered",
    "kept",
}
_people = count()


@dataclass
class Mailboxes:
    """A mail server: what it does with letters to the thief, and what has arrived, each with when it was asked for.

    Letters to others are those that an earlier story left behind.
    """

    world: World
    thief: str
    owners: tuple[str, str]
    answer: type[NotSent] | None = None
    arrived: list[tuple[Letter, datetime]] = field(default_factory=list)

    async def send(self, letter: Letter) -> str:
        if letter.to == self.thief and self.answer is not None:
            raise self.answer("not now")
        if letter.kind in TOKEN_PURPOSES and letter.to in (self.thief, *self.owners):
            query = select(letters.c.created_at).where(letters.c.id == letter.id)
            async with self.world.engines.sqlalchemy_reading() as connection:
                self.arrived.append((letter, (await connection.execute(query)).scalar_one()))
        return "taken"


class Story:
    """One account, its owner's two mailboxes and the thief's."""

    def __init__(self, runner: asyncio.Runner, world: World) -> None:
        self.run, self.world = runner.run, world
        self.mine = f"person{next(_people)}@example.com"
        self.his, self.second = f"thief.{self.mine}", f"second.{self.mine}"
        self.owners = (self.mine, self.second)
        self.mailer = Mailboxes(world, self.his, self.owners)
        self.env = replace(world.env, mailer=self.mailer)
        self.run(world.register(self.mine))
        self.code = world.secret(VERIFY)
        self.mine_browser, self.his_browser = (self.run(world.client(origin=BASE)) for _ in range(2))
        assert self.sign_in(self.his_browser, self.mine, PASSWORD)
        self.account_id = self.row("id", accounts.c.email == self.mine)

    def sign_in(self, browser: Any, email: str, password: str) -> bool:
        body = {"email": email, "password": password}
        return bool(self.run(browser.post("/api/auth/login", json=body)).status_code == 200)

    def row(self, column: str, where: Any) -> Any:
        async def read() -> Any:
            async with self.world.engines.sqlalchemy_reading() as connection:
                return (await connection.execute(select(accounts.c[column]).where(where))).scalar_one_or_none()

        return self.run(read())

    def verify(self) -> None:
        assert self.run(self.mine_browser.get(f"/api/auth/verifyemail/{self.code}")).status_code == 200

    async def account(self) -> Account:
        async with self.env.store.reading() as read:
            account = await read.accounts.get(self.account_id)
        assert account is not None
        return account

    def of_account(self, column: str) -> Any:
        return self.row(column, accounts.c.id == self.account_id)

    async def deliver(self) -> None:
        while await deliver_next(self.env):
            pass


class Thief:
    """Everybody does at any time what they may do."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.recovered = self.disabled = self.deleted = False
        self.trust_ended = self.ways_back_ended = self.now
        self.password: str | None = PASSWORD
        self.passwords = count()
        self.happened: Counter[str] = Counter()

    @property
    def alive(self) -> bool:
        return not (self.disabled or self.deleted)

    @property
    def now(self) -> datetime:
        return self.story.world.clock.now()

    def time_passes_and_letters_arrive(self, minutes: int, takes: bool, again: bool) -> None:
        """The thief's mail server may take them by now, and an operator may try the refused ones again."""
        self.story.world.clock.advance(minutes=minutes)
        self.story.mailer.answer = None if takes else self.story.mailer.answer
        if again:
            self.story.run(retry_letters(self.story.env, None))
        self.story.run(self.story.deliver())

    def it_begins(self, answer: type[NotSent], verified: bool) -> None:
        if verified:
            self.story.verify()
        else:
            self.anybody_asks_for_a_letter("verifyemail", to_thief=False)
            self.story.run(self.story.deliver())
        self.the_thief_asks_to_move_it(answer)

    def the_thief_asks_to_move_it(self, answer: type[NotSent] | None) -> None:
        """His mail server takes the letter, or puts it off, or refuses it until an operator tries again."""
        self._tick()
        self.story.mailer.answer = answer
        if not self.recovered and self._mine():
            self.story.sign_in(self.story.his_browser, self._mine(), PASSWORD)
        body = {"currentPassword": PASSWORD, "email": self.story.his}
        status = self.story.run(self.story.his_browser.patch("/api/users/me/email", json=body)).status_code
        assert status != 200 or not (self.recovered or self.deleted)
        self.story.run(self.story.deliver())

    def anybody_asks_for_a_letter(self, path: str, to_thief: bool) -> None:
        self._tick()
        body = {"email": self.story.his if to_thief else self._mine() or self.story.mine}
        self.story.run(self.story.his_browser.post(f"/api/auth/{path}", json=body))

    def the_thief_signs_in_and_uses_a_link(self, which: int) -> None:
        self._tick()
        for email in (*self.story.owners, self.story.his):
            if self.story.sign_in(self.story.his_browser, email, PASSWORD):
                assert not self.recovered
                assert not self.deleted
                assert not self.disabled
        self._use(self.story.his, which, "the thief's own")

    def the_thief_registers_an_email_of_the_owners_and_deletes_that(self, which: int) -> None:
        """If it is free, which it is not while it is hers or a way back to it waits. No letter of hers goes with it."""
        self._tick()
        email, before = self.story.owners[which], self.story.run(self._letters())
        kept = (CHANGED.value, email) in before
        body = {"name": "Eve", "email": email, **twice("the thief's own")}
        free = self.story.run(self.story.his_browser.post("/api/auth/register", json=body)).status_code == 201
        assert not (free and (kept or self._mine() == email))
        self.happened["kept"] += kept
        if free:
            self.story.run(self._delete_at(email))
            assert self.story.run(self._letters()) == before
            self.happened["registered"] += 1

    async def _letters(self) -> list[tuple[str, str | None]]:
        """The letters of the account that have not left, and may still."""
        its = (letters.c.account_id == self.story.account_id, letters.c.settled_at.is_(None))
        in_time = letters.c.created_at > self.now - UNDO_MAILED_WITHIN
        query = select(letters.c.kind, letters.c.email).where(*its, in_time).order_by(letters.c.id)
        async with self.story.world.engines.sqlalchemy_reading() as connection:
            return [(row.kind, row.email) for row in await connection.execute(query)]

    async def _delete_at(self, email: str) -> None:
        account = await find_account(self.story.env, email)
        assert account is not None
        await delete_account(self.story.env, COMMAND_LINE, account)

    def the_owner_uses_a_link(self, which: int, second: bool) -> None:
        self._use(self.story.owners[second], which, f"the owner's own {next(self.passwords)}")

    def the_owner_takes_it_over(self, which: int) -> None:
        """By the other button of a link that verifies, with a password of her own."""
        self._tick()
        there = [(letter, asked) for letter, asked in self.story.mailer.arrived if letter.kind is VERIFY][::-1]
        if not there:
            return
        letter, asked = there[which % len(there)]
        secret, browser = letter.link.rpartition("/")[2], self.story.mine_browser
        taken = self.story.run(browser.post(f"/verifyemail/{secret}/mine"))
        if taken.status_code == DONE:
            assert self.alive
            assert asked >= self.trust_ended
            self._recovered(None)
            self.the_account_is_whose_it_is()
            password = f"the owner's own {next(self.passwords)}"
            chosen = self.story.run(browser.post(taken.headers["location"], data=twice(password)))
            assert chosen.status_code == DONE
            self._recovered(password)
            self.happened["taken over"] += 1

    def the_owner_moves_it(self, confirms: bool) -> None:
        """To the other one of her mailboxes, in a session of her own."""
        self._tick()
        email = self._mine()
        if not self._owner_signs_in():
            return
        other = next(each for each in self.story.owners if each != email)
        body = {"currentPassword": self.password, "email": other}
        if self.story.run(self.story.mine_browser.patch("/api/users/me/email", json=body)).status_code == 200:
            self.story.run(self.story.deliver())
            if confirms:
                self._use(other, 0, "")

    def it_is_deleted(self, really: int) -> None:
        """Now and then, for nothing happens afterwards."""
        self._tick()
        if really or self.deleted:
            return
        self.story.run(self._delete())
        self.deleted = True
        self.happened["deleted"] += 1
        self.trust_ended = self.ways_back_ended = self.now

    async def _delete(self) -> None:
        await delete_account(self.story.env, COMMAND_LINE, await self.story.account())

    def the_owner_has_another_password(self, by_mail: bool) -> None:
        if by_mail:
            self.anybody_asks_for_a_letter("forgotpassword", to_thief=False)
            self.story.run(self.story.deliver())
            self._use(self.story.mine, 0, f"the owner's own {next(self.passwords)}")
        else:
            self._change_password()

    def an_operator_disables_it_or_enables_it(self, for_long: bool) -> None:
        self._toggle()
        if self.disabled and not for_long:
            self._toggle()

    def _toggle(self) -> None:
        self._tick()
        if self.deleted:
            return
        flow = enable_account if self.disabled else disable_account

        async def act() -> None:
            await flow(self.story.env, COMMAND_LINE, await self.story.account())

        self.story.run(act())
        self.disabled = not self.disabled
        self.trust_ended = self.ways_back_ended = self.now

    def the_account_is_whose_it_is(self) -> None:
        assert (self.story.of_account("id") is None) == self.deleted
        if self.recovered and not self.deleted:
            assert self.story.of_account("email") in self.story.owners
        if self.recovered or self.deleted:
            assert self.story.run(self.story.his_browser.get("/api/users/me")).status_code == 401

    def _change_password(self) -> None:
        self._tick()
        known = self.password
        if not self._owner_signs_in():
            return
        password = f"the owner's own {next(self.passwords)}"
        body = {"currentPassword": known, **twice(password)}
        if self.story.run(self.story.mine_browser.patch("/api/users/me/password", json=body)).status_code == 200:
            self._recovered(password)

    def _mine(self) -> str:
        """The email of the account, while it is one of its owner's; empty while it is not."""
        email = self.story.of_account("email")
        return email if email in self.story.owners else ""

    def _owner_signs_in(self) -> bool:
        email, known = self._mine(), self.password
        if not self.alive or known is None or not email:
            return False
        return self.story.sign_in(self.story.mine_browser, email, known)

    def _use(self, mailbox: str, which: int, password: str) -> None:
        """Use one of the links that arrived there, the newest first."""
        self._tick()
        there = [(letter, asked) for letter, asked in self.story.mailer.arrived if letter.to == mailbox][::-1]
        if not there:
            return
        letter, asked = there[which % len(there)]
        if not self._spent(letter, password):
            return
        assert self.alive
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
        self.happened[f"{kind} by {'the thief' if mailbox == self.story.his else 'the owner'}"] += 1
        self.trust_ended = self.now
        if kind is RESET and mailbox in self.story.owners:
            self._recovered(password)
        if kind is CHANGED:
            self.password, self.recovered = None, True

    def _recovered(self, password: str | None) -> None:
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


def _what_happens(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """A story of this number, which is the same every time."""
    random = Random(number)
    yield "it_begins", {"answer": random.choice((NotSent, RefusedForGood)), "verified": random.random() < 0.6}
    names, times, ways = zip(*DEEDS, strict=True)
    for which in random.choices(range(len(names)), times, k=STEPS):
        yield names[which], {way: random.choice(choices) for way, choices in ways[which].items()}


def test_m15_m16_after_a_recovery_nothing_asked_before_it_happens(begin: Callable[[], Story], backend: Backend) -> None:
    # The rule is the same on both; the races of PostgreSQL are looked at in tests/stories/races.
    happened: Counter[str] = Counter()
    for number in range(STORIES if backend.database_url.startswith("sqlite") else STORIES // 10):
        thief, told = Thief(begin()), []
        for deed, ways in _what_happens(number):
            told.append(f"{deed}({ways})")
            try:
                getattr(thief, deed)(**ways)
                thief.the_account_is_whose_it_is()
            except AssertionError as fault:
                raise AssertionError(f"story {number}: {'; '.join(told)}") from fault
        happened += thief.happened
    if backend.database_url.startswith("sqlite"):
        assert set(happened) >= EVERYTHING, "a story that nobody is in tells nothing"
