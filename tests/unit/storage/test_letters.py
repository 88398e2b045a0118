"""`model.letters.Letters`, the outbox, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.harness.world import World
from tests.unit.storage import NOW, stored_account
from vestibule.crypto.entropy import new_id
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.outbox import LEASE, OutboxCounts
from vestibule.model.store import Store
from vestibule.storage.sql.schema import letters

INSTANT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)


async def queue(store: Store, count: int = 1) -> list[str]:
    """`count` letters, a microsecond apart, the newest put in first; their ids, oldest first."""
    account = await stored_account(store)
    moments = [NOW + n * INSTANT for n in range(count)]
    queued = [QueuedLetter(new_id(), LetterKind.VERIFY_EMAIL, moment, account.id) for moment in moments]
    async with store.transaction() as tx:
        for letter in reversed(queued):
            await tx.letters.queue(letter)
    return [letter.id for letter in queued]


def queued_as(letter_id: str, attempts: int = 0) -> QueuedLetter:
    """What a worker holds that has claimed the letter `attempts` times."""
    return QueuedLetter(letter_id, LetterKind.VERIFY_EMAIL, NOW, attempts=attempts)


async def claim(store: Store, now: datetime) -> tuple[str, int] | None:
    """Which letter was claimed, and for the how manieth time."""
    async with store.transaction() as tx:
        claimed = await tx.letters.claim(now)
    return (claimed.id, claimed.attempts) if claimed else None


async def test_a_letter_is_due_at_once_and_comes_back_as_it_was_queued(store: Store) -> None:
    account = await stored_account(store)
    letter = QueuedLetter(new_id(), LetterKind.RESET_PASSWORD, NOW, account.id, None, "de", {"device": "curl"})
    async with store.transaction() as tx:
        await tx.letters.queue(letter)
        assert await tx.letters.claim(NOW - INSTANT) is None
        assert await tx.letters.claim(NOW) == replace(letter, attempts=1, asked_of=account.id, epoch=account.epoch)


async def test_an_empty_outbox_has_nothing_to_claim(store: Store) -> None:
    assert await claim(store, NOW) is None


async def test_the_oldest_comes_first(store: Store) -> None:
    oldest, middle, newest = await queue(store, 3)
    claimed = [await claim(store, NOW + MINUTE) for _ in range(4)]
    assert claimed == [(oldest, 1), (middle, 1), (newest, 1), None]


async def test_nobody_else_takes_a_claimed_letter_until_its_lease_is_over(store: Store) -> None:
    (letter,) = await queue(store)
    assert await claim(store, NOW) == (letter, 1)
    assert await claim(store, NOW + LEASE - INSTANT) is None
    assert await claim(store, NOW + LEASE) == (letter, 2)


async def test_a_settled_letter_is_never_due_again(store: Store) -> None:
    (letter,) = await queue(store)
    assert await claim(store, NOW) == (letter, 1)
    async with store.transaction() as tx:
        await tx.letters.settle(queued_as(letter), NOW, None, sent=True)
    assert await claim(store, NOW + timedelta(days=365)) is None


async def test_a_letter_that_was_put_off_waits_until_then(store: Store) -> None:
    first, second = await queue(store, 2)
    assert await claim(store, NOW) == (first, 1)
    async with store.transaction() as tx:
        await tx.letters.put_off(queued_as(first, 1), NOW + 5 * MINUTE, "the mail server was asleep")
    assert await claim(store, NOW + MINUTE) == (second, 1)
    assert await claim(store, NOW + 5 * MINUTE - INSTANT) == (second, 2)
    assert await claim(store, NOW + 5 * MINUTE) == (first, 2)


async def test_the_last_fault_is_kept_until_the_letter_has_left(world: World) -> None:
    store = world.env.store
    (letter,) = await queue(store)
    async with store.transaction() as tx:
        await tx.letters.put_off(queued_as(letter), NOW, "the mail server was asleep")
    assert await _last_fault(world) == "the mail server was asleep"
    async with store.transaction() as tx:
        await tx.letters.settle(queued_as(letter), NOW, None, sent=True)
    assert await _last_fault(world) is None


async def test_a_claim_that_is_over_holds_nothing_and_puts_nothing_off(store: Store) -> None:
    (letter,) = await queue(store)
    first, second = queued_as(letter, 1), queued_as(letter, 2)
    assert await claim(store, NOW) == (letter, 1)
    async with store.transaction() as tx:
        assert await tx.letters.lock(first)
    assert await claim(store, NOW + LEASE) == (letter, 2)
    async with store.transaction() as tx:
        assert not await tx.letters.lock(first)
        await tx.letters.put_off(first, NOW, "too late")
        await tx.letters.refuse(first, NOW, "too late")
        assert await tx.letters.lock(second)
        await tx.letters.settle(second, NOW, None, sent=True)
        assert not await tx.letters.lock(second)


async def test_a_refused_letter_is_kept_and_not_tried_again_until_somebody_says_so(store: Store) -> None:
    refused, waiting = await queue(store, 2)
    assert await claim(store, NOW) == (refused, 1)
    async with store.transaction() as tx:
        await tx.letters.refuse(queued_as(refused, 1), NOW, "550 no such mailbox")
    assert await claim(store, NOW + MINUTE) == (waiting, 1)
    assert await claim(store, NOW + MINUTE) is None
    async with store.transaction() as tx:
        assert await tx.letters.counts() == OutboxCounts(waiting=1, refused=1, oldest=NOW + INSTANT)
        states = await tx.letters.unsettled(10)
        assert [(state.letter.id, state.refused_at, state.last_fault) for state in states] == [
            (refused, NOW, "550 no such mailbox"),
            (waiting, None, None),
        ]
        # The other is being sent: nobody sends it a second time.
        assert await tx.letters.retry(NOW + MINUTE) == 1
    assert await claim(store, NOW + MINUTE) == (refused, 2)
    assert await claim(store, NOW + MINUTE) is None


async def test_a_retry_reaches_the_letters_named_and_no_other(store: Store) -> None:
    first, second = await queue(store, 2)
    async with store.transaction() as tx:
        for letter in (first, second):
            await tx.letters.claim(NOW + INSTANT)
            await tx.letters.put_off(queued_as(letter, 1), NOW + 5 * MINUTE, "451 busy")
        assert await tx.letters.retry(NOW, [second, "unknown"]) == 1
    assert await claim(store, NOW + INSTANT) == (second, 2)
    assert await claim(store, NOW + INSTANT) is None


async def test_an_empty_outbox_has_no_backlog(store: Store) -> None:
    (letter,) = await queue(store)
    async with store.transaction() as tx:
        assert (await tx.letters.counts()).waiting == 1
        await tx.letters.settle(queued_as(letter), NOW, None, sent=True)
        assert await tx.letters.counts() == OutboxCounts(0, 0, None)
        assert await tx.letters.unsettled(10) == []


async def test_m15_what_would_bring_a_token_is_withdrawn_but_no_notice_and_no_earlier_way_back(store: Store) -> None:
    account = await stored_account(store)
    kind = LetterKind.EMAIL_CHANGED
    earlier, later = (QueuedLetter(new_id(), kind, NOW + n * MINUTE, account.id, "old@example.com") for n in (0, 2))
    others = [
        QueuedLetter(new_id(), LetterKind.RESET_PASSWORD, NOW, who, to)
        for who, to in ((account.id, None), (None, account.email))
    ]
    notice = QueuedLetter(new_id(), LetterKind.PASSWORD_CHANGED, NOW, account.id)
    async with store.transaction() as tx:
        for letter in (earlier, later, *others, notice):
            await tx.letters.queue(letter)
        await tx.letters.withdraw(account.id, NOW + 2 * MINUTE, undo_since=NOW + MINUTE)
        left = {state.letter.id for state in await tx.letters.unsettled(10)}
    assert left == {earlier.id, notice.id}


async def test_m21_a_later_letter_is_newer_if_it_was_asked_of_the_same_account_in_the_same_epoch(store: Store) -> None:
    """M21: by its id or by its email."""
    account = await stored_account(store)
    kind = LetterKind.RESET_PASSWORD
    first = QueuedLetter(new_id(), kind, NOW, email=account.email)
    second = QueuedLetter(new_id(), kind, NOW + MINUTE, account.id)
    others = QueuedLetter(new_id(), kind, NOW + 2 * MINUTE, email="grace@example.com")
    async with store.transaction() as tx:
        for letter in (first, second, others):
            await tx.letters.queue(letter)
        assert await tx.letters.newer(first, account)
        assert not await tx.letters.newer(second, account)
        await tx.letters.settle(second, NOW, account.id, sent=True)
        assert await tx.letters.newer(first, account)  # sent already: its link must stay good


async def test_m21_what_was_asked_of_another_of_nobody_or_before_is_no_newer_letter(store: Store) -> None:
    """M21: though it is for the same mailbox."""
    account, stranger = await stored_account(store), await stored_account(store, email="mallory@example.com")
    kind, nobodys = LetterKind.CONFIRM_NEW_EMAIL, "later@example.com"
    first = QueuedLetter(new_id(), kind, NOW, account.id, "new@example.com")
    later = (
        QueuedLetter(new_id(), kind, NOW + MINUTE, stranger.id, account.email),
        QueuedLetter(new_id(), kind, NOW + MINUTE, email=nobodys),
        QueuedLetter(new_id(), kind, NOW + MINUTE, account.id),
    )
    async with store.transaction() as tx:
        for letter in (first, *later):
            await tx.letters.queue(letter)
        await tx.accounts.set_password(account.id, "another hash", NOW)
        now_at = await tx.accounts.get(account.id)
        assert now_at is not None
        assert not await tx.letters.newer(first, replace(now_at, email=nobodys))
        await tx.letters.settle(later[0], NOW, stranger.id, sent=True)
        assert not await tx.letters.newer(first, now_at)


async def test_a_claim_that_was_rolled_back_was_none(store: Store) -> None:
    (letter,) = await queue(store)
    with pytest.raises(ZeroDivisionError):
        await _claim_and_fail(store)
    assert await claim(store, NOW) == (letter, 1)


async def test_workers_at_the_same_moment_claim_different_letters(racing_world: World) -> None:
    store = racing_world.env.store
    oldest, newest = await queue(store, 2)
    async with store.transaction() as one, store.transaction() as two, store.transaction() as three:
        claims = [await tx.letters.claim(NOW + MINUTE) for tx in (one, two, three)]
    assert [claimed and claimed.id for claimed in claims] == [oldest, newest, None]


async def _claim_and_fail(store: Store) -> None:
    async with store.transaction() as tx:
        assert await tx.letters.claim(NOW) is not None
        raise ZeroDivisionError


async def _last_fault(world: World) -> str | None:
    async with world.engines.sqlalchemy_reading() as connection:
        fault: str | None = (await connection.execute(select(letters.c.last_fault))).scalar_one()
    return fault
