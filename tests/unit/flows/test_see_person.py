"""See a person: what is read of them, and how much at most; and what operators have mailed to them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.harness.world import World
from tests.unit.storage import stored_account
from vestibule.flows.mail_link import LinkOutcome, mail_link
from vestibule.flows.mark_verified import VerifiedOutcome, mark_verified
from vestibule.flows.see_person import MOST_SHOWN, probably_meant, see_person
from vestibule.model.accounts import Account
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.limits import LetterLimits
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.people import LetterFate

ADA = "ada@example.com"


async def ada(world: World) -> Account:
    async with world.env.store.reading() as read:
        account = await read.accounts.with_email(ADA)
    assert account is not None
    return account


async def test_o42_a_person_is_read_within_bounds(world: World) -> None:
    await world.register(ADA)
    account, now = await ada(world), world.clock.now()
    async with world.env.store.transaction() as tx:
        for number in range(3 * MOST_SHOWN):
            later = now + timedelta(seconds=number)
            await tx.letters.queue(QueuedLetter(f"letter {number}", LetterKind.RESET_PASSWORD, later, account.id))
        refused = Event(now, EventKind.SIGN_IN_REFUSED, account.id, network_address="203.0.113.9")
        await tx.events.record(*[refused] * 150)
    person = await see_person(world.env, account.id)
    assert person is not None
    assert (len(person.letters), person.letters[0].id) == (MOST_SHOWN, f"letter {3 * MOST_SHOWN - 1}")
    assert (len(person.events), person.networks_of(EventKind.SIGN_IN_REFUSED)) == (100, {"203.0.113.9": 100})
    assert await see_person(world.env, "nobody") is None


async def test_o42_what_became_of_each_letter_is_known(world: World) -> None:
    await world.register(ADA)
    account, now = await ada(world), world.clock.now()
    async with world.env.store.transaction() as tx:
        for name in ("waiting", "delayed", "refused", "withdrawn"):
            await tx.letters.queue(QueuedLetter(name, LetterKind.RESET_PASSWORD, now, account.id))
    for name, change in (
        ("delayed", "last_fault = 'no route'"),
        ("refused", "last_fault = '550', refused_at = created_at"),
        ("withdrawn", "settled_at = created_at"),
    ):
        async with world.engines.sqlalchemy_transaction() as connection:
            await connection.execute(text(f"UPDATE letters SET {change} WHERE id = '{name}'"))
    person = await see_person(world.env, account.id)
    assert person is not None
    fates = {letter.id: letter.fate.value for letter in person.letters if letter.kind is LetterKind.RESET_PASSWORD}
    assert fates == {name: name for name in ("waiting", "delayed", "refused", "withdrawn")}
    assert [letter.fate for letter in person.letters if letter.kind is LetterKind.VERIFY_EMAIL] == [LetterFate.SENT]


@pytest.mark.parametrize("by", ["withdraw", "needless"])
async def test_o42_what_was_tried_and_never_taken_is_not_called_sent(world: World, by: str) -> None:
    """O42: a letter that was put off, and then withdrawn or no longer needed, was sent to nobody."""
    await world.register(ADA)
    account, now = await ada(world), world.clock.now()
    async with world.env.store.transaction() as tx:
        await tx.letters.withdraw(account.id, now)
        await tx.letters.queue(QueuedLetter("tried", LetterKind.RESET_PASSWORD, now, account.id))
        tried = await tx.letters.claim(now)
        assert tried is not None
        assert (tried.id, tried.attempts) == ("tried", 1)
        await tx.letters.put_off(tried, now, "no route")
        if by == "withdraw":
            await tx.letters.withdraw(account.id, now)
        else:
            await tx.letters.settle(tried, now, account.id, sent=False)
    person = await see_person(world.env, account.id)
    assert person is not None
    assert {letter.fate for letter in person.letters if letter.id == "tried"} == {LetterFate.WITHDRAWN}


@pytest.mark.parametrize("kind", [LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD])
async def test_o42_operators_flood_no_mailbox(world: World, kind: LetterKind) -> None:
    await world.register(ADA)
    account = await ada(world)
    env = replace(world.env, policy=replace(world.env.policy, letters=LetterLimits.per_hour(3, for_network=100)))
    for _ in range(12):
        assert await mail_link(env, COMMAND_LINE, account, kind) is LinkOutcome.QUEUED
    assert await mail_link(env, COMMAND_LINE, account, kind) is LinkOutcome.TOO_MANY
    world.clock.advance(days=1, minutes=1)
    assert await mail_link(env, COMMAND_LINE, account, kind) is LinkOutcome.QUEUED


async def test_o42_a_password_in_doubt_is_verified_by_the_mailed_link_alone(world: World) -> None:
    account = await stored_account(world.env.store, email=ADA, registered_again_at=world.clock.now())
    assert await mark_verified(world.env, COMMAND_LINE, account) is VerifiedOutcome.PASSWORD_IN_DOUBT
    assert not (await ada(world)).verified


async def test_o42_who_is_verified_stays_so_and_gets_no_link_for_it(world: World) -> None:
    account = await stored_account(world.env.store, email=ADA)
    assert await mark_verified(world.env, COMMAND_LINE, account) is VerifiedOutcome.VERIFIED
    assert await mark_verified(world.env, COMMAND_LINE, account) is VerifiedOutcome.ALREADY
    mailed = await mail_link(world.env, COMMAND_LINE, account, LetterKind.VERIFY_EMAIL)
    assert mailed is LinkOutcome.ALREADY_VERIFIED


async def test_o42_an_email_that_has_an_account_is_no_typo(world: World) -> None:
    now = world.clock.now()
    await stored_account(world.env.store, email="ada@exmaple.com", created_at=now)
    meant = await probably_meant(world.env, "Ada@Example.com")
    assert meant is not None
    assert meant.other.email == "ada@exmaple.com"
    assert await probably_meant(world.env, "no email") is None
    await stored_account(world.env.store, email=ADA, created_at=now)
    assert await probably_meant(world.env, ADA) is None
