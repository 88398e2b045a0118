"""One account with more sessions than it may have: it stays its owner's, whatever its owner does about it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.harness.backends import Backend
from tests.harness.statements import statements
from tests.harness.world import POLICY, World, world_on
from tests.stories.bounds import count, fill_sessions
from tests.unit.flows import DONE, EMAIL, PASSWORD, ask_for_change, ask_for_reset, confirm, reset, verify
from vestibule.flows.administer import disable_account, sign_out_everywhere
from vestibule.flows.delete_account import delete_account
from vestibule.flows.end_sessions import OTHERS_AT_ONCE
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Account
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.revocations import RevocationKind
from vestibule.model.sessions import EndReason
from vestibule.storage.sql.schema import events, revocations, sessions
from vestibule.storage.sql.sessions import SqlSessions

MANY = 7_000
"""More than one statement could write revocations for."""
MOST = 3
FEW_SESSIONS = replace(POLICY, sessions=replace(POLICY.sessions, for_account=MOST))
LIVE = sessions.c.ended_at.is_(None)

Ending = Callable[[World, Account], Awaitable[None]]


async def change_password(world: World, _account: Account) -> None:
    browser = await world.sign_in()
    new = {"currentPassword": PASSWORD, "password": "another horse", "passwordConfirm": "another horse"}
    assert (await browser.patch("/api/users/me/password", json=new)).status_code == 200


async def reset_by_mail(world: World, _account: Account) -> None:
    await ask_for_reset(world)
    await world.deliver()
    assert await reset(world, world.secret(LetterKind.RESET_PASSWORD)) == 200


async def take_over(world: World, _account: Account) -> None:
    client = await world.client(origin=None)
    answer = await client.post(f"/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}/mine")
    assert answer.status_code == 303


async def change_email(world: World, _account: Account) -> None:
    browser = await world.sign_in()
    assert await ask_for_change(browser, "countess@example.com") == 200
    await world.deliver()
    assert await confirm(browser, world.secret(LetterKind.CONFIRM_NEW_EMAIL)) == DONE


async def disable(world: World, account: Account) -> None:
    assert await disable_account(world.env, COMMAND_LINE, account) == MANY


async def sign_out(world: World, account: Account) -> None:
    assert await sign_out_everywhere(world.env, COMMAND_LINE, account) == MANY


async def delete(world: World, account: Account) -> None:
    assert await delete_account(world.env, COMMAND_LINE, account) == MANY


ENDINGS: dict[str, Ending] = {
    "change password": change_password,
    "reset by mail": reset_by_mail,
    "take over": take_over,
    "change email": change_email,
    "sign out": sign_out,
    "disable": disable,
    "delete": delete,
}


async def ada(world: World) -> Account:
    await world.register()
    if world.env.policy.verification_mandatory:
        assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    account = await find_account(world.env, EMAIL)
    assert account is not None
    return account


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
async def test_n1_every_end_of_all_sessions_works_at_any_number_of_them(backend: Backend, ending: Ending) -> None:
    # No limit for those that are there already, as in a database from before the limit.
    async with world_on(backend, replace(POLICY, sessions=replace(POLICY.sessions, for_account=10 * MANY))) as world:
        account = await ada(world)
        await fill_sessions(world, account.id, MANY)
        await ending(world, account)
        old = sessions.c.network_address == "192.0.2.66"
        assert await count(world, sessions, LIVE, old) == 0
        assert await count(world, revocations) < 5  # one for the account, in place of one for each session
        assert await count(world, events) < 200


async def test_n1_all_others_are_signed_out_however_many_they_are(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N1: some in each transaction."""
    batches, end_others = list[int](), SqlSessions.end_others

    async def noted(of: SqlSessions, *which: Any) -> list[str]:
        ended = await end_others(of, *which)
        batches.append(len(ended))
        return ended

    monkeypatch.setattr(SqlSessions, "end_others", noted)
    async with world_on(backend, replace(POLICY, sessions=replace(POLICY.sessions, for_account=10**6))) as world:
        account = await ada(world)
        await fill_sessions(world, account.id, 3 * OTHERS_AT_ONCE)
        browser = await world.sign_in()
        answer = await browser.delete("/api/users/me/sessions")
        assert (answer.status_code, answer.json()["data"]["ended"]) == (200, 3 * OTHERS_AT_ONCE)
        assert batches == [OTHERS_AT_ONCE] * 3 + [0]
        assert await count(world, sessions, LIVE) == 1
        assert (await browser.get("/api/users/me")).status_code == 200


async def test_n1_more_than_one_statement_ends_is_ended_with_the_account(backend: Backend) -> None:
    async with world_on(backend) as world:
        account = await ada(world)
        await fill_sessions(world, account.id, 21_000)
        assert await disable_account(world.env, COMMAND_LINE, account) == 21_000
        assert await count(world, sessions, LIVE) == 0


async def test_n2_one_sign_in_too_many_ends_the_session_unseen_for_longest(backend: Backend) -> None:
    async with world_on(backend, FEW_SESSIONS) as world:
        await ada(world)
        browsers = []
        for _ in range(MOST + 1):
            browsers.append(await world.sign_in())
            world.clock.advance(seconds=1)
        answers = [await browser.get("/api/users/me") for browser in browsers]
        assert [answer.status_code for answer in answers] == [401] + MOST * [200]
        assert answers[0].json()["code"] == "session_too_many_sessions"
        ended = revocations.c.kind == RevocationKind.SESSION.value
        assert (await count(world, revocations, ended), await count(world, sessions, LIVE)) == (1, MOST)


async def test_n2_what_a_database_has_too_many_of_goes_with_the_next_sign_ins(backend: Backend) -> None:
    async with world_on(backend, FEW_SESSIONS) as world:
        account = await ada(world)
        await fill_sessions(world, account.id, 10 * 100)
        await world.sign_in()
        await world.sign_in()
        browser = await world.sign_in()
        assert (await browser.get("/api/users/me")).status_code == 200
        assert await count(world, sessions, LIVE) == MOST


async def test_n2_one_that_was_over_by_its_age_says_so(backend: Backend) -> None:
    async with world_on(backend, FEW_SESSIONS) as world:
        account = await ada(world)
        await fill_sessions(world, account.id, 10)
        world.clock.advance(hours=2)
        await world.sign_in()
        idle = sessions.c.end_reason == EndReason.IDLE.value
        assert (await count(world, sessions, idle), await count(world, revocations)) == (11 - MOST, 0)


async def test_n2_a_sign_in_within_the_limit_costs_no_statement_more(world: World) -> None:
    await ada(world)
    with statements() as sent:
        await world.sign_in()
    begun = [statement.split()[0] for statement in sent]
    # Of this transaction: the session, the count of wrong passwords, the device (asked for and added), the event.
    assert len([word for word in begun if word in {"INSERT", "UPDATE", "DELETE", "SELECT", "WITH"}]) < 10
    assert begun.count("WITH") == 0
