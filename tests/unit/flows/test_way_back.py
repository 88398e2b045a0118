"""While a way back to an email is open, nobody else gets that email: their account would stand in its way."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, func, insert, select, update

from tests.harness.backends import Backend
from tests.harness.locks import until_waiting
from tests.harness.world import POLICY, World, world_on
from tests.unit.flows import DONE, EMAIL, ask_for_change, click, confirm, sign_in_status, twice, verify
from tests.unit.flows.test_import_makes_room import bring, row
from tests.unit.storage import an_account
from vestibule.flows import change_email
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.create_account import create_account
from vestibule.flows.delete_account import delete_account
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Account, Role
from vestibule.model.errors import EmailTaken
from vestibule.model.letters import Letter, LetterKind, NotSent, RefusedForGood
from vestibule.model.operators import COMMAND_LINE
from vestibule.storage.sql.account_rows import to_row
from vestibule.storage.sql.schema import accounts, letters, one_time_tokens

VERIFY, CONFIRM, CHANGED = LetterKind.VERIFY_EMAIL, LetterKind.CONFIRM_NEW_EMAIL, LetterKind.EMAIL_CHANGED
THIEFS, OTHER = "thief@example.net", "other@example.net"
CONCEALING = replace(POLICY, verification_mandatory=True, conceal_accounts=True)


class Holding:
    """A mail server that has one answer for every letter that undoes a change."""

    def __init__(self, world: World, fault: type[NotSent]) -> None:
        self._then, self._fault = world.mailer, fault

    async def send(self, letter: Letter) -> str:
        if letter.kind is CHANGED:
            raise self._fault("not now")
        return await self._then.send(letter)


async def moved(world: World, mailed: type[NotSent] | None = None, hours: float = 0) -> None:
    """The account of `EMAIL` is at `THIEFS`, and its way back mailed, or kept by the mail server; some hours ago."""
    await world.register()
    assert await verify(world, world.secret(VERIFY)) == 200
    thief = await world.sign_in()
    assert await ask_for_change(thief, THIEFS) == 200
    await world.deliver()
    assert await confirm(thief, world.secret(CONFIRM)) == DONE
    untouched = world.env
    if mailed is not None:
        world.env = replace(world.env, mailer=Holding(world, mailed))
    await world.deliver()
    world.env = untouched
    world.clock.advance(hours=hours)


async def register(world: World, email: str = EMAIL) -> int:
    body = {"name": "Eve", "email": email, **twice("the thief's own")}
    return (await (await world.client()).post("/api/auth/register", json=body)).status_code


async def there(world: World, email: str = EMAIL) -> Account | None:
    return await find_account(world.env, email)


async def another(world: World) -> httpx.AsyncClient:
    """Somebody else, signed in."""
    if await there(world, OTHER) is None:
        await world.register(OTHER)
        assert await verify(world, world.secret(VERIFY)) == 200
    return await world.sign_in(OTHER)


async def by_registering(world: World) -> None:
    assert await register(world) == 409


async def by_asking_to_move_there(world: World) -> None:
    browser, sent = await another(world), len(world.mailer.letters)
    assert await ask_for_change(browser, EMAIL) == 200
    await world.deliver()
    assert [letter.kind for letter in world.mailer.letters[sent:]] == []


async def by_an_operator_who_creates_it(world: World) -> None:
    with pytest.raises(EmailTaken):
        await create_account(world.env, COMMAND_LINE, "Eve", EMAIL, Role.ADMIN)


async def by_an_import(world: World) -> None:
    for dry in (True, False):
        report, told = await bring(world, [row("l1", EMAIL, "true"), row("l2", "free@example.com", "true")], dry=dry)
        assert (report.imported, told.left_out) == (1, ["l1"])


WAYS: dict[str, Callable[[World], Awaitable[None]]] = {
    way.__name__: way for way in (by_registering, by_asking_to_move_there, by_an_operator_who_creates_it, by_an_import)
}
OPEN: dict[str, tuple[type[NotSent] | None, float]] = {
    "waiting": (NotSent, 0),
    "refused": (RefusedForGood, 47),
    "mailed": (None, 0),
    "mailed a day ago": (None, 23.9),
}


@pytest.mark.parametrize("state", OPEN)
async def test_m20_while_a_way_back_is_open_nobody_else_gets_the_email(world: World, state: str) -> None:
    """M20: in no way, and it leads back afterwards."""
    await moved(world, *OPEN[state])
    for way in WAYS.values():
        await way(world)
        assert await there(world) is None
    if state.startswith("mailed"):
        assert await click(world, f"/undoemail/{world.secret(CHANGED)}") == DONE
        assert await there(world) is not None
        assert await sign_in_status(world, THIEFS) == 400


async def test_m20_a_thief_has_the_owner_close_it_by_no_other_letter(backend: Backend) -> None:
    """M20: where accounts are concealed he is answered like everybody, and nothing is mailed; twice, and at once."""
    async with world_on(backend, CONCEALING) as world:
        await moved(world)
        undo, sent = world.secret(CHANGED), len(world.mailer.letters)
        for _ in range(2):
            assert await register(world) == 201
            await world.deliver()
            world.clock.advance(minutes=11)
        assert await there(world) is None
        assert len(world.mailer.letters) == sent
        assert await click(world, f"/undoemail/{undo}") == DONE


async def used(world: World) -> None:
    assert await click(world, f"/undoemail/{world.secret(CHANGED)}") == DONE
    await delete_account(world.env, COMMAND_LINE, await whose(world, EMAIL))


async def whose(world: World, email: str) -> Account:
    account = await there(world, email)
    assert account is not None
    return account


async def deleted(world: World) -> None:
    await delete_account(world.env, COMMAND_LINE, await whose(world, THIEFS))


async def disabled(world: World) -> None:
    await disable_account(world.env, COMMAND_LINE, await whose(world, THIEFS))
    await enable_account(world.env, COMMAND_LINE, await whose(world, THIEFS))


async def over(world: World) -> None:
    world.clock.advance(hours=24)


ENDED: dict[str, Callable[[World], Awaitable[None]]] = {
    "used": used,
    "deleted": deleted,
    "disabled": disabled,
    "over": over,
}


@pytest.mark.parametrize("how", ENDED)
async def test_m20_then_the_email_is_free(world: World, how: str) -> None:
    """M20: and its new owner may move away and be taken back like everybody."""
    await moved(world)
    await ENDED[how](world)
    assert await register(world) == 201
    await world.deliver()
    assert await verify(world, world.secret(VERIFY)) == 200
    browser = await world.sign_in(EMAIL, "the thief's own")
    assert await ask_for_change(browser, OTHER, "the thief's own") == 200
    await world.deliver()
    assert await confirm(browser, world.secret(CONFIRM)) == DONE
    assert await register(world) == 409
    await world.deliver()
    assert await click(world, f"/undoemail/{world.secret(CHANGED)}") == DONE


async def test_m20_a_way_back_that_could_not_be_mailed_in_time_keeps_nothing(world: World) -> None:
    await moved(world, NotSent, hours=48)
    assert await register(world) == 409
    await world.deliver()  # finds that it is too late
    assert await register(world) == 201


async def test_m20_the_account_itself_may_come_back_and_go_again(world: World) -> None:
    """M20: by a link to its old email, which is kept for it and for nobody else."""
    await moved(world)
    for email, wanted in ((THIEFS, EMAIL), (EMAIL, OTHER)):
        browser = await world.sign_in(email)
        assert await ask_for_change(browser, wanted) == 200
        await world.deliver()
        assert await confirm(browser, world.secret(CONFIRM)) == DONE
        await world.deliver()
        world.clock.advance(minutes=1)
    assert [await register(world, email) for email in (EMAIL, THIEFS, OTHER)] == [409, 409, 409]
    to_first = next(one for one in reversed(world.mailer.letters) if (one.kind, one.to) == (CHANGED, EMAIL))
    assert await click(world, f"/undoemail/{to_first.link.rpartition('/')[2]}") == DONE


async def test_m20_a_link_asked_for_before_leads_nowhere_and_is_not_spent(world: World) -> None:
    """M20: somebody wanted the email when nobody had verified it."""
    await world.register()
    code = world.secret(VERIFY)
    other = await another(world)
    assert await ask_for_change(other, EMAIL) == 200
    await world.deliver()
    wanted = world.secret(CONFIRM)
    assert await verify(world, code) == 200
    thief = await world.sign_in()
    assert await ask_for_change(thief, THIEFS) == 200
    await world.deliver()
    assert await confirm(thief, world.secret(CONFIRM)) == DONE
    assert await confirm(other, wanted) == 403
    await deleted(world)
    assert await confirm(other, wanted) == DONE


async def test_m20_a_failed_undo_spends_nothing(world: World) -> None:
    """M20: somebody verified the email all the same, in an older version; once they are gone, it works."""
    await moved(world)
    undo = world.secret(CHANGED)
    account = an_account(email=EMAIL, verified=True)
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(insert(accounts).values(**to_row(account)))
    for _ in range(2):
        assert await click(world, f"/undoemail/{undo}") == 403
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(delete(accounts).where(accounts.c.id == account.id))
    assert await click(world, f"/undoemail/{undo}") == DONE


async def test_m20_who_waits_for_an_email_while_it_is_moved_away_does_not_get_it(
    racing_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M20: the way back is written down in the transaction that frees the email."""
    world, end_trust = racing_world, change_email.end_trust
    waiting: list[asyncio.Task[int]] = []
    begun = asyncio.Event()

    async def registers() -> int:
        begun.set()
        return await register(world)

    async def slow(*args: Any, **how: Any) -> Any:
        waiting.append(asyncio.create_task(registers()))
        await begun.wait()
        await until_waiting(world)
        return await end_trust(*args, **how)

    monkeypatch.setattr(change_email, "end_trust", slow)
    await moved(world)
    assert await waiting[0] == 409
    assert await there(world) is None


async def test_m20_what_keeps_an_email_is_cleaned_up_with_the_links(world: World) -> None:
    """M20: one row for each, and none that a secret opens."""
    await moved(world)
    count = select(func.count()).where(one_time_tokens.c.purpose == "undo_email_change")
    async with world.engines.sqlalchemy_transaction() as connection:
        assert (await connection.execute(count)).scalar_one() == 2
        await connection.execute(update(letters).values(settled_at=world.clock.now()))
    async with world.env.store.transaction() as tx:
        world.clock.advance(hours=73)
        assert await tx.one_time_tokens.purge(world.clock.now(), 100) >= 2
    async with world.engines.sqlalchemy_reading() as connection:
        assert (await connection.execute(count)).scalar_one() == 0


@pytest.mark.parametrize("guess", [f"way back to {EMAIL}", EMAIL])
async def test_m20_no_secret_opens_what_keeps_an_email(world: World, guess: str) -> None:
    await moved(world)
    assert await click(world, f"/undoemail/{guess}") in {403, 404}
    assert await there(world) is None
