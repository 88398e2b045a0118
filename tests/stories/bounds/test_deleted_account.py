"""An account of any age goes, by its owner or by an operator: little is left for the statement that does."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.harness.world import World
from tests.stories.bounds import count, fill, fill_sessions, number_as_id, numbers
from tests.unit.flows import DONE, PASSWORD, ask_for_change, confirm
from vestibule.flows.clear_history import AT_ONCE
from vestibule.flows.create_account import create_account
from vestibule.flows.delete_account import delete_account, delete_my_account
from vestibule.flows.find_people import find_account
from vestibule.flows.identify import identify
from vestibule.model.accounts import Account, Role
from vestibule.model.client_info import ClientInfo
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.sessions import Device
from vestibule.storage.sql.accounts import SqlAccounts
from vestibule.storage.sql.schema import accounts, events, letters, metadata, sessions

OWNER, WANTED = "owner@example.com", "ada@example.com"
MANY = 10 * AT_ONCE
FACTORS = {"totps", "recovery_codes", "passkeys", "pending_sign_ins", "factor_resets"}
REFERRING = [table for table in metadata.sorted_tables if any(key.references(accounts) for key in table.foreign_keys)]


async def by_the_operator(world: World, account: Account) -> None:
    await delete_account(world.env, COMMAND_LINE, account)


async def by_its_owner(world: World, _account: Account) -> None:
    caller = await identify(world.env, (await world.sign_in()).cookies["access_token"])
    await delete_my_account(world.env, caller, PASSWORD, ClientInfo(Device("a program", "192.0.2.7")))


async def for_who_changes_to_its_email(world: World, _account: Account) -> None:
    await world.register(OWNER)
    browser = await world.sign_in(OWNER)
    assert await ask_for_change(browser, WANTED) == 200
    await world.deliver()
    assert await confirm(browser, world.secret(LetterKind.CONFIRM_NEW_EMAIL)) == DONE


async def for_whom_the_operator_creates(world: World, _account: Account) -> None:
    await create_account(world.env, COMMAND_LINE, "Ada Lovelace", WANTED, Role.USER)


@pytest.mark.parametrize(
    "go", [by_the_operator, by_its_owner, for_who_changes_to_its_email, for_whom_the_operator_creates]
)
async def test_n11_a_long_history_goes_in_batches_before_the_account(
    world: World, go: Callable[[World, Account], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = remember_what_is_left(monkeypatch)
    await world.register(WANTED)
    account = await find_account(world.env, WANTED)
    assert account is not None
    await with_history(world, account)
    await go(world, account)
    (counts,) = left
    assert set(counts) == {
        "sessions",
        "one_time_tokens",
        "letters",
        "known_devices",
        "events",
        "account_roles",
        *FACTORS,
    }
    assert max(counts.values()) <= 10, counts
    assert await count(world, sessions, sessions.c.account_id == account.id) == 0
    assert await count(world, events, events.c.kind == "sign_in_refused") == MANY, "that it happened stays"


async def with_history(world: World, account: Account) -> None:
    """What strangers and people who know the password can make of an account in time."""
    now, n = world.clock.now(), numbers(MANY)
    await fill_sessions(world, account.id, MANY, now - timedelta(days=60))
    event = {"at": now, "kind": "sign_in_refused", "account_id": account.id, "detail": "{}"}
    await fill(world, events, MANY, event)
    letter = {"id": number_as_id(n), "kind": "new_device", "account_id": account.id, "created_at": now, "due_at": now}
    await fill(world, letters, MANY, letter | {"attempts": 1, "settled_at": now}, n)


def remember_what_is_left(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """How many rows of each table go or change with the row of an account, at the moment that it goes."""
    left: list[dict[str, int]] = []

    async def look(of: SqlAccounts, account_id: Any) -> None:
        found = {}
        for table in REFERRING:
            its = select(func.count()).select_from(table).where(table.c.account_id == account_id)
            found[table.name] = int((await of._connection.execute(its)).scalar_one())
        left.append(found)

    remove, squatter = SqlAccounts.remove, SqlAccounts.remove_squatter

    async def removed(of: SqlAccounts, account_id: str) -> bool:
        await look(of, account_id)
        return await remove(of, account_id)

    async def squatter_removed(of: SqlAccounts, email: str, owner_id: str) -> str | None:
        await look(of, select(accounts.c.id).where(accounts.c.email == email).scalar_subquery())
        return await squatter(of, email, owner_id)

    monkeypatch.setattr(SqlAccounts, "remove", removed)
    monkeypatch.setattr(SqlAccounts, "remove_squatter", squatter_removed)
    return left
