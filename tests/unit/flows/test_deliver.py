"""From the outbox to the mailer: no letter for what was rolled back, none lost, none that arrives dead."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from tests.harness.mailer import CatchingMailer
from tests.harness.world import World
from vestibule.flows.deliver import deliver_next
from vestibule.model.letters import Letter, LetterKind, NotSent
from vestibule.model.outbox import LEASE
from vestibule.storage.sql.schema import accounts, letters

ADDRESS = "ada@example.com"
PERSON = {"name": "Ada Lovelace", "email": ADDRESS, "password": "correct horse", "passwordConfirm": "correct horse"}
NEW_PASSWORD = {"password": "battery staple", "passwordConfirm": "battery staple"}


class FailingMailer:
    """A mailer that fails a number of times before it hands letters on."""

    def __init__(self, failures: int, then: CatchingMailer, fault: type[Exception] = NotSent) -> None:
        self._left = failures
        self._then = then
        self._fault = fault
        self.tried: list[Letter] = []

    async def send(self, letter: Letter) -> None:
        self.tried.append(letter)
        if self._left:
            self._left -= 1
            raise self._fault("451 try again later")
        await self._then.send(letter)


@pytest.fixture
async def registered(world: World) -> World:
    """Ada has registered, and her letter waits."""
    answer = await (await world.client()).post("/api/auth/register", json=PERSON)
    assert answer.status_code == 201
    return world


async def test_one_registration_sends_one_letter(registered: World) -> None:
    assert await deliver_next(registered.env)
    assert not await deliver_next(registered.env)
    (letter,) = registered.mailer.letters
    assert (letter.kind, letter.to, letter.name) == (LetterKind.VERIFY_EMAIL, ADDRESS, "Ada Lovelace")


async def test_a_refused_registration_sends_none(registered: World) -> None:
    await registered.deliver()
    assert (await (await registered.client()).post("/api/auth/register", json=PERSON)).status_code == 409
    assert not await deliver_next(registered.env)


async def test_a_registration_that_was_rolled_back_sends_none(world: World) -> None:
    # The event is recorded after the letter was queued, and cannot be.
    await _run(world, "DROP TABLE events")
    with capture_logs():
        assert (await (await world.client()).post("/api/auth/register", json=PERSON)).status_code >= 500
    assert not await deliver_next(world.env)
    for table in (accounts, letters):
        async with world.engines.sqlalchemy_reading() as connection:
            assert (await connection.execute(select(func.count()).select_from(table))).scalar_one() == 0


async def test_a_letter_that_is_not_sent_waits_longer_each_time_and_is_sent_in_the_end(registered: World) -> None:
    """O12: a letter that is not sent waits longer each time and is sent in the end."""
    mailer = FailingMailer(5, registered.mailer)
    env = replace(registered.env, mailer=mailer)
    for seconds in (1, 2, 4, 8, 16):
        assert await deliver_next(env)
        assert not await deliver_next(env)
        wait = (await _due_at(registered) - registered.clock.now()).total_seconds()
        assert 0.8 * seconds <= wait <= 1.2 * seconds
        registered.clock.advance(seconds=wait)
    assert await deliver_next(env)
    assert registered.mailer.letters == mailer.tried[-1:]
    assert len({letter.id for letter in mailer.tried}) == 1
    registered.clock.advance(days=365)
    assert not await deliver_next(env)


async def test_a_worker_that_dies_leaves_its_letter_to_another(registered: World) -> None:
    dying = replace(registered.env, mailer=FailingMailer(1, registered.mailer, fault=ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):
        await deliver_next(dying)
    assert not await deliver_next(registered.env)
    registered.clock.advance(seconds=LEASE.total_seconds())
    assert await deliver_next(registered.env)
    assert await _verify(registered, registered.secret(LetterKind.VERIFY_EMAIL)) == 200


@pytest.mark.parametrize(
    "meanwhile", ["UPDATE accounts SET verified = true", "UPDATE accounts SET disabled_at = created_at"]
)
async def test_a_letter_that_became_needless_is_crossed_off(registered: World, meanwhile: str) -> None:
    await _run(registered, meanwhile)
    await _deliver_nothing(registered)
    async with registered.engines.sqlalchemy_reading() as connection:
        settled = (await connection.execute(select(letters.c.settled_at))).scalar_one()
    assert settled is not None


async def test_an_account_that_is_gone_gets_no_letter(registered: World) -> None:
    await _run(registered, "DELETE FROM accounts")
    await _deliver_nothing(registered)


async def test_a_letter_goes_to_the_email_of_today(registered: World) -> None:
    await _run(registered, "UPDATE accounts SET email = 'ada@example.org'")
    await registered.deliver()
    assert [letter.to for letter in registered.mailer.letters] == ["ada@example.org"]
    assert await _verify(registered, registered.secret(LetterKind.VERIFY_EMAIL)) == 200


async def test_a_verification_link_is_made_when_it_is_sent(registered: World) -> None:
    registered.clock.advance(days=1, minutes=1)
    await registered.deliver()
    assert await _verify(registered, registered.secret(LetterKind.VERIFY_EMAIL)) == 200


async def test_a_reset_link_is_made_when_it_is_sent(registered: World) -> None:
    await _forget(registered)
    registered.clock.advance(days=1)
    await registered.deliver()
    assert await _reset(registered, registered.secret(LetterKind.RESET_PASSWORD)) == 200


async def test_the_newest_reset_link_wins(registered: World) -> None:
    secrets = []
    for _ in range(3):
        await _forget(registered)
        await registered.deliver()
        secrets.append(registered.secret(LetterKind.RESET_PASSWORD))
        registered.clock.advance(seconds=1)
    assert [await _reset(registered, secret) for secret in secrets] == [403, 403, 200]


async def test_the_outbox_holds_no_secret_and_no_email(registered: World) -> None:
    await _forget(registered)
    env = replace(registered.env, mailer=FailingMailer(2, registered.mailer))
    while await deliver_next(env):
        pass
    registered.clock.advance(minutes=1)
    await registered.deliver()
    async with registered.engines.sqlalchemy_reading() as connection:
        rows = str((await connection.execute(select(letters))).all())
    assert len(registered.mailer.letters) == 2
    for letter in registered.mailer.letters:
        assert letter.id in rows
        assert letter.link.rpartition("/")[2] not in rows
    assert ADDRESS not in rows


async def _deliver_nothing(world: World) -> None:
    await world.deliver()
    world.clock.advance(days=1)
    assert not await deliver_next(world.env)
    assert world.mailer.letters == []


async def _verify(world: World, code: str) -> int:
    return (await (await world.client()).get(f"/api/auth/verifyemail/{code}")).status_code


async def _forget(world: World) -> None:
    answer = await (await world.client()).post("/api/auth/forgotpassword", json={"email": ADDRESS})
    assert answer.status_code == 200


async def _reset(world: World, secret: str) -> int:
    answer = await (await world.client()).patch(f"/api/auth/resetpassword/{secret}", json=NEW_PASSWORD)
    return answer.status_code


async def _due_at(world: World) -> datetime:
    async with world.engines.sqlalchemy_reading() as connection:
        due_at: datetime = (await connection.execute(select(letters.c.due_at))).scalar_one()
    return due_at


async def _run(world: World, statement: str) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text(statement))
