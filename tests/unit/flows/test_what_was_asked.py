"""What was asked for before trust ended never happens afterwards: mailed or not, put off, refused, or being written."""

import re
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

import vestibule.flows
import vestibule.storage.sql.accounts as accounts_in_sql
from tests.harness.backends import Backend
from tests.harness.world import World, world_on
from tests.unit.flows import (
    DONE,
    PASSWORD,
    ask_for_change,
    click,
    confirms_for_whom_it_is,
    reset,
    sign_in_status,
    twice,
    verify,
)
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.compose_letter import compose_letter
from vestibule.flows.delete_account import delete_account
from vestibule.flows.deliver import deliver_next
from vestibule.flows.find_people import find_account
from vestibule.flows.look_after_mail import retry_letters
from vestibule.model.letters import Letter, LetterKind, NotSent, RefusedForGood
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.outbox import LEASE
from vestibule.storage.sql import account_statements

VERIFY, RESET = LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD
CONFIRM, CHANGED = LetterKind.CONFIRM_NEW_EMAIL, LetterKind.EMAIL_CHANGED
NEW_PASSWORD = "battery staple"
_people = count()


class Somebody:
    """An account with a verified email, as its owner and a thief of a session act on it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.email = f"person{next(_people)}@example.com"
        self.thiefs = f"thief.{self.email}"

    async def begin(self) -> None:
        await self.world.register(self.email)
        self.browser = await self.world.sign_in(self.email)

    async def ask(self, kind: LetterKind) -> None:
        """Have a letter queued that brings a token of this kind."""
        client = await self.world.client()
        if kind is VERIFY:
            await client.post("/api/auth/verifyemail", json={"email": self.email})
        elif kind is RESET:
            await client.post("/api/auth/forgotpassword", json={"email": self.email})
        else:
            assert await ask_for_change(self.browser, self.thiefs) == 200

    async def mailed(self, kind: LetterKind) -> str:
        """The same, delivered; the secret in it."""
        self.world.clock.advance(seconds=1)
        await self.ask(kind)
        await self.world.deliver()
        return next(
            letter.link.rpartition("/")[2]
            for letter in reversed(self.world.mailer.letters)
            if letter.kind is kind and letter.to in {self.email, self.thiefs}
        )

    async def spend(self, kind: LetterKind, secret: str) -> bool:
        """Whether the secret did something."""
        if kind is VERIFY:
            return await verify(self.world, secret) == 200
        if kind is RESET:
            return await reset(self.world, secret, "the thief's own") == 200
        return await confirms_for_whom_it_is(self.world, self.email, secret)


async def by_changing_the_password(who: Somebody) -> None:
    body = {"currentPassword": PASSWORD, **twice(NEW_PASSWORD)}
    assert (await who.browser.patch("/api/users/me/password", json=body)).status_code == 200


async def by_a_mailed_reset(who: Somebody) -> None:
    assert await reset(who.world, await who.mailed(RESET)) == 200


async def by_taking_over(who: Somebody) -> None:
    assert await click(who.world, f"/verifyemail/{await who.mailed(VERIFY)}/mine") == DONE


async def by_moving_it(who: Somebody) -> None:
    who.thiefs, wanted = f"own.{who.email}", who.thiefs
    assert await who.spend(CONFIRM, await who.mailed(CONFIRM))
    who.email, who.thiefs = who.thiefs, wanted


async def by_disabling_it(who: Somebody) -> None:
    account = await find_account(who.world.env, who.email)
    assert account is not None
    await disable_account(who.world.env, COMMAND_LINE, account)


async def by_disabling_and_enabling_it(who: Somebody) -> None:
    await by_disabling_it(who)
    account = await find_account(who.world.env, who.email)
    assert account is not None
    await enable_account(who.world.env, COMMAND_LINE, account)


async def by_deleting_it(who: Somebody) -> None:
    account = await find_account(who.world.env, who.email)
    assert account is not None
    await delete_account(who.world.env, COMMAND_LINE, account)


ENDS: dict[str, Callable[[Somebody], Awaitable[None]]] = {
    name.__name__: name
    for name in (
        by_changing_the_password,
        by_a_mailed_reset,
        by_taking_over,
        by_moving_it,
        by_disabling_it,
        by_disabling_and_enabling_it,
        by_deleting_it,
    )
}
ASKED = (VERIFY, RESET, CONFIRM)


class StubbornMailer:
    """A mail server that says 451, or 550, to every letter of one kind, and takes the others."""

    def __init__(self, world: World, kind: LetterKind, fault: type[NotSent]) -> None:
        self._then, self._kind, self._fault = world.mailer, kind, fault

    async def send(self, letter: Letter) -> str:
        if letter.kind is self._kind:
            raise self._fault("451 try again later")
        return await self._then.send(letter)


async def deliver_all(world: World) -> None:
    while await deliver_next(world.env):
        pass


@asynccontextmanager
async def refusing(world: World, kind: LetterKind, fault: type[NotSent]):  # type: ignore[no-untyped-def]
    """The mail server says no to this kind of letter meanwhile."""
    there = world.env.mailer
    world.env = replace(world.env, mailer=StubbornMailer(world, kind, fault))
    yield
    world.env = replace(world.env, mailer=there)


async def waits(who: Somebody, kind: LetterKind) -> None:
    await who.ask(kind)


async def put_off(who: Somebody, kind: LetterKind) -> None:
    await who.ask(kind)
    async with refusing(who.world, kind, NotSent):
        await deliver_all(who.world)


async def refused(who: Somebody, kind: LetterKind) -> None:
    await who.ask(kind)
    async with refusing(who.world, kind, RefusedForGood):
        await deliver_all(who.world)


async def nothing_secret_left(who: Somebody, sent: int) -> None:
    """Whatever the mail server and an operator do from now on, nothing asked before is mailed."""
    await retry_letters(who.world.env, None)
    for _ in range(3):
        await deliver_all(who.world)
        who.world.clock.advance(minutes=6)
    assert [letter.kind for letter in who.world.mailer.letters[sent:] if letter.kind in ASKED] == []


@pytest.fixture
async def world(backend: Backend):  # type: ignore[no-untyped-def]
    async with world_on(backend) as made:
        yield made


@pytest.mark.parametrize("end", ENDS)
async def test_m15_what_was_asked_before_trust_ended_is_neither_mailed_nor_good(world: World, end: str) -> None:
    """M15: for every flow that ends trust, every kind of mailed link, and wherever its letter is at that moment."""
    for kind in ASKED:
        for held in (waits, put_off, refused) if kind is CONFIRM else (waits,):
            who = Somebody(world)
            await who.begin()
            world.clock.advance(seconds=1)
            # A newer link of the same kind would have taken its place; the one that waits must not come after it.
            if (kind, end) not in {(RESET, "by_a_mailed_reset"), (VERIFY, "by_taking_over"), (CONFIRM, "by_moving_it")}:
                await held(who, kind)
                await ENDS[end](who)
                await nothing_secret_left(who, len(world.mailer.letters))
        who = Somebody(world)
        await who.begin()
        secret = await who.mailed(kind)
        await ENDS[end](who)
        assert not await who.spend(kind, secret), kind


@pytest.mark.parametrize("end", ENDS)
async def test_m15_a_letter_that_is_just_being_handed_over_brings_a_dead_link(world: World, end: str) -> None:
    """M15: it was written before, and is handed over after."""
    for kind in ASKED:
        who = Somebody(world)
        await who.begin()
        world.clock.advance(seconds=1)
        await who.ask(kind)
        async with world.env.store.transaction() as tx:
            queued = await tx.letters.claim(world.clock.now())
        assert queued is not None
        written = await compose_letter(world.env, queued)
        assert written is not None
        await ENDS[end](who)
        assert not await who.spend(kind, written.link.rpartition("/")[2]), kind
        world.clock.advance(seconds=LEASE.total_seconds())
        await world.deliver()


async def test_m15_a_thief_whose_mail_server_says_451_gets_nothing_after_the_owner_reset(world: World) -> None:
    """M15: days later too, and the account stays where it was."""
    who = Somebody(world)
    await who.begin()
    async with refusing(world, CONFIRM, NotSent):
        await who.ask(CONFIRM)
        await deliver_all(world)
        assert await reset(world, await who.mailed(RESET)) == 200
        await world.deliver()
    sent = len(world.mailer.letters)
    world.clock.advance(days=2)
    await world.deliver()
    assert world.mailer.letters[sent:] == []
    assert await sign_in_status(world, who.email, NEW_PASSWORD) == 200


async def test_m16_no_link_of_before_changes_a_disabled_account_nor_one_that_is_enabled_again(world: World) -> None:
    """M16: nor does what undoes a change of email, which outlives everything else."""
    for enabled in (False, True):
        who = Somebody(world)
        await who.begin()
        assert await verify(world, await who.mailed(VERIFY)) == 200
        assert await who.spend(CONFIRM, await who.mailed(CONFIRM))
        await world.deliver()
        undo, who.email = world.secret(CHANGED), who.thiefs
        await (by_disabling_and_enabling_it if enabled else by_disabling_it)(who)
        assert await click(world, f"/undoemail/{undo}") == 403
        assert await find_account(world.env, who.email) is not None


async def test_m16_a_way_back_that_waits_is_withdrawn_by_disabling(world: World) -> None:
    who = Somebody(world)
    await who.begin()
    assert await who.spend(CONFIRM, await who.mailed(CONFIRM))
    who.email = who.thiefs
    sent = len(world.mailer.letters)
    await by_disabling_and_enabling_it(who)
    await world.deliver()
    assert [letter.kind for letter in world.mailer.letters[sent:]] == []


def test_m15_every_flow_that_begins_another_epoch_voids_what_was_asked() -> None:
    """M15: the steps that begin one are found in the store, and who takes one of them calls the one place."""
    written = re.findall(r"^([A-Z_]+) = (.*\n(?:[ )].*\n)*)", _source(account_statements), re.MULTILINE)
    beginning = {name for name, statement in written if re.match(r"_change\(|(?s:.*)epoch \+ 1", statement)}
    methods = re.split(r"\n    async def ", _source(accounts_in_sql))[1:]
    bodies = {body.partition("(")[0]: body for body in methods}
    steps = {name for name, body in bodies.items() if set(re.findall(r"statements\.([A-Z_]+)", body)) & beginning}
    assert {"set_password", "change_password", "disable", "enable", "reassign_to_email", "register_again"} <= steps
    for path in Path(vestibule.flows.__file__).parent.glob("*.py"):
        text = path.read_text()
        taken = [step for step in steps if f"tx.accounts.{step}(" in text]
        voids = len(re.findall(r"await (?:end_trust|void_links)\(", text))
        assert voids >= len(taken), (path.name, taken)
        assert path.name == "end_trust.py" or ".one_time_tokens.void(" not in text, path.name


def _source(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text()
