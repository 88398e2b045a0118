"""A letter is its account's, not the mailbox's: what ends or moves one account touches no letter of another."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.unit.flows import DONE, EMAIL, PASSWORD, ask_for_change, ask_for_reset, click, confirm, twice, verify
from tests.unit.flows.test_import_makes_room import bring, row
from tests.unit.storage import an_account
from vestibule.crypto.entropy import new_id
from vestibule.flows import change_email
from vestibule.flows.create_account import create_account
from vestibule.flows.delete_account import delete_account, delete_if_unused
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Account, Role
from vestibule.model.letters import NOTICES, Letter, LetterKind, NotSent, QueuedLetter
from vestibule.model.limits import LetterLimits
from vestibule.model.operators import COMMAND_LINE
from vestibule.storage.sql.account_rows import to_row
from vestibule.storage.sql.schema import accounts, letters

VERIFY, RESET = LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD
CONFIRM, CHANGED = LetterKind.CONFIRM_NEW_EMAIL, LetterKind.EMAIL_CHANGED
THIEFS, WANTED = "thief@example.net", "countess@example.org"
MINUTE = timedelta(minutes=1)


class Greylisting:
    """A mail server that puts off every letter to these mailboxes, until it has heard of them often enough."""

    def __init__(self, world: World, *mailboxes: str) -> None:
        self.then, self.putting_off = world.mailer, set(mailboxes)
        world.env = replace(world.env, mailer=self)

    async def send(self, letter: Letter) -> str:
        if letter.to in self.putting_off:
            raise NotSent("451 greylisted, come again in five minutes")
        return await self.then.send(letter)

    def relents(self, world: World) -> None:
        self.putting_off.clear()
        world.clock.advance(minutes=10)


async def moved_away(world: World) -> Greylisting:
    """An account that a thief has moved to his email; its owner's mail server puts off whatever there is for her."""
    await world.register()
    assert await verify(world, world.secret(VERIFY)) == 200
    thief = await world.sign_in()
    assert await ask_for_change(thief, THIEFS) == 200
    await world.deliver()
    greylisting = Greylisting(world, EMAIL)
    assert await confirm(thief, world.secret(CONFIRM)) == DONE
    await world.deliver()
    world.mailer.letters.clear()
    return greylisting


async def at_the_old_email(world: World) -> Account:
    """Somebody who has the email all the same, as an older version let them: nobody could register it now."""
    account = an_account(email=EMAIL, created_at=world.clock.now(), updated_at=world.clock.now())
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(insert(accounts).values(**to_row(account)))
    return account


async def by_deleting(world: World, account: Account) -> None:
    await delete_account(world.env, COMMAND_LINE, account)


async def by_deleting_what_nobody_uses(world: World, account: Account) -> None:
    assert await delete_if_unused(world.env, account, world.clock.now() + MINUTE)


async def by_an_operator_who_creates_one(world: World, account: Account) -> None:
    await create_account(world.env, COMMAND_LINE, "Ada", EMAIL, Role.USER)


async def by_an_import(world: World, account: Account) -> None:
    report, _told = await bring(world, [row("legacy-1", EMAIL, "true")])
    assert report.made_room == 1


ENDS: dict[str, Callable[[World, Account], Awaitable[None]]] = {
    end.__name__: end
    for end in (by_deleting, by_deleting_what_nobody_uses, by_an_operator_who_creates_one, by_an_import)
}


@pytest.mark.parametrize("end", ENDS)
async def test_m21_who_goes_from_a_mailbox_takes_no_letter_of_anothers(
    world: World, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M21: the owner's way back waits for the mail server that puts it off."""
    greylisting = await moved_away(world)
    account = await at_the_old_email(world)
    monkeypatch.setattr("vestibule.storage.sql.accounts.SqlAccounts.kept", none_kept)
    monkeypatch.setattr("vestibule.storage.sql.accounts.kept_digests", lambda emails: ["nowhere"])
    await ENDS[end](world, account)
    greylisting.relents(world)
    await world.deliver()
    assert [(letter.kind, letter.to) for letter in greylisting.then.letters] == [(CHANGED, EMAIL)]


async def none_kept(*_: Any) -> dict[str, str]:
    """As before an email was kept for who may be taken back to it."""
    return {}


async def test_m21_what_was_asked_of_an_account_by_email_goes_with_it(world: World) -> None:
    """M21: and nothing of another that wants its email."""
    await world.register()
    await world.register(THIEFS)
    Greylisting(world, EMAIL)
    await ask_for_reset(world)
    assert await ask_for_change(await world.sign_in(THIEFS), EMAIL) == 200
    await world.deliver()
    account = await find_account(world.env, EMAIL)
    assert account is not None
    await delete_account(world.env, COMMAND_LINE, account)
    async with world.engines.sqlalchemy_reading() as connection:
        waiting = select(letters.c.kind, letters.c.email).where(letters.c.settled_at.is_(None))
        left = [tuple(row) for row in await connection.execute(waiting)]
    assert left == [(CONFIRM.value, EMAIL)]


@pytest.mark.parametrize("stranger", [False, True], ids=["alone", "a stranger wants her email"])
async def test_m21_who_wants_an_email_makes_no_letter_of_its_account_needless(world: World, stranger: bool) -> None:
    """M21: two accounts ask to move, the one to the other's email that nobody has verified."""
    await world.register()
    await world.register(THIEFS)
    greylisting = Greylisting(world, WANTED)
    assert await ask_for_change(await world.sign_in(), WANTED) == 200
    await world.deliver()
    world.clock.advance(seconds=2)
    if stranger:
        assert await ask_for_change(await world.sign_in(THIEFS), EMAIL) == 200
    greylisting.relents(world)
    world.mailer.letters.clear()
    await world.deliver()
    assert (CONFIRM, WANTED) in [(letter.kind, letter.to) for letter in world.mailer.letters]


async def test_m21_a_reset_that_a_stranger_asks_for_meanwhile_is_no_newer_one_than_the_undos(
    racing_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M21: when it is asked for, nobody has the email yet."""
    world = racing_world
    greylisting = await moved_away(world)
    greylisting.relents(world)
    await world.deliver()
    undo = world.secret(CHANGED)
    end_trust = change_email.end_trust

    async def slow(*args: Any, **how: Any) -> Any:
        ended = await end_trust(*args, **how)
        world.clock.advance(milliseconds=5)
        assert (await ask_for_reset(world)).status_code == 200
        return ended

    monkeypatch.setattr(change_email, "end_trust", slow)
    assert await click(world, f"/undoemail/{undo}") == DONE
    await world.deliver()
    last = world.mailer.letters[-1]
    assert (last.kind, last.to) == (RESET, EMAIL)


async def test_m21_a_letter_that_is_one_too_many_makes_none_needless(backend: Backend) -> None:
    """M21: to a sub-email, whose mail server puts the first one off."""
    hers = "target+home@example.com"
    policy = replace(POLICY, letters=LetterLimits.per_hour(to_email=3, for_network=100_000))
    async with world_on(backend, policy) as world:
        greylisting = Greylisting(world, hers)
        client = await world.client()
        body = {"name": "Ada", "email": hers, **twice(PASSWORD)}
        assert (await client.post("/api/auth/register", json=body)).status_code == 201
        await world.deliver()
        async with world.env.store.transaction() as tx:
            while await tx.rate_counters.take(policy.letters.to_mailbox, "target@example.com", world.clock.now()):
                pass
        world.clock.advance(milliseconds=1)  # the first is not tried again before the second has gone
        await client.post("/api/auth/verifyemail", json={"email": hers})
        await world.deliver()
        greylisting.relents(world)
        await world.deliver()
        assert [letter.kind for letter in world.mailer.letters] == [VERIFY]


def circumstances() -> dict[str, str]:
    return {"device": "Safari, iPhone", "network_address": "192.0.2.7", "at": "2026-01-01T00:00:00+00:00"}


async def something_happens(world: World, account: Account) -> None:
    """What an owner is told of, whatever else there is to tell."""
    async with world.env.store.transaction() as tx:
        for kind in sorted(NOTICES):
            told = QueuedLetter(new_id(), kind, world.clock.now(), account.id, detail=circumstances())
            await tx.letters.queue(told)


# Whether the email was verified when it happened; what is done before the letters leave; and where they go.
NOTICED: dict[str, tuple[bool, str, str | None]] = {
    "nothing": (True, "", EMAIL),
    "a move": (True, "move", EMAIL),
    "nothing, unverified": (False, "", None),
    "a move, unverified": (False, "move", None),
    "verified since": (False, "verify", EMAIL),
    "verified since, and another password": (False, "verify and another epoch", None),
}


@pytest.mark.parametrize("case", NOTICED)
async def test_m22_what_happened_is_told_to_the_email_that_the_account_had_then(world: World, case: str) -> None:
    """M22: if that was verified, for nobody else is told what somebody did, and from where."""
    verified, then, to = NOTICED[case]
    await world.register()
    code = world.secret(VERIFY)
    if verified:
        assert await verify(world, code) == 200
    account = await find_account(world.env, EMAIL)
    assert account is not None
    await something_happens(world, account)
    async with world.engines.sqlalchemy_transaction() as connection:
        if "move" in then:
            moved = {"email": THIEFS, "verified": True, "epoch": accounts.c.epoch + 1}
            await connection.execute(update(accounts).values(moved))
        if "verify" in then:
            await connection.execute(update(accounts).values(verified=True))
        if "epoch" in then:
            await connection.execute(update(accounts).values(epoch=accounts.c.epoch + 1))
    world.mailer.letters.clear()
    await world.deliver()
    assert sorted((letter.kind, letter.to) for letter in world.mailer.letters) == sorted(
        (kind, to) for kind in NOTICES if to is not None
    )


async def test_m22_a_thief_is_not_told_in_the_owners_place_that_he_changed_the_password(world: World) -> None:
    """M22: her mail server puts the letter off until he has moved the account."""
    await world.register()
    assert await verify(world, world.secret(VERIFY)) == 200
    greylisting = Greylisting(world, EMAIL)
    thief = await world.sign_in()
    body = {"currentPassword": PASSWORD, **twice("the thief's own")}
    assert (await thief.patch("/api/users/me/password", json=body)).status_code == 200
    await world.deliver()
    assert await ask_for_change(thief, THIEFS, "the thief's own") == 200
    await world.deliver()
    assert await confirm(thief, world.secret(CONFIRM)) == DONE
    greylisting.relents(world)
    world.mailer.letters.clear()
    await world.deliver()
    assert {(letter.kind, letter.to) for letter in world.mailer.letters} == {
        (LetterKind.PASSWORD_CHANGED, EMAIL),
        (CHANGED, EMAIL),
    }
