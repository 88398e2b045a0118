"""Export a person: give an operator the file that the owner can export, and record who took it.

The file is for the owner: it tells of an operator's act, and not which operator acted.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TypeVar

from vestibule.flows.env import Env
from vestibule.flows.my_data import MyData, data_of
from vestibule.flows.require_operator import lock_for, require_operator
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.events import EventKind
from vestibule.model.operator_errors import PersonUnknown
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission

T = TypeVar("T")


async def export_person(env: Env, operator: Operator, account: Account) -> MyData:
    """Record the export, and return all data of the account. Each page of it checks the operator's permission again.

    Raises `PersonUnknown` if the account is gone; `PermissionMissing` and `SessionOver`, about the operator.
    """
    data = await data_of(env, await _recorded(env, operator, account))
    return replace(
        data,
        live=_while_permitted(env, operator, data.live),
        past=_while_permitted(env, operator, data.past),
        events=_while_permitted(env, operator, data.events),
    )


@retry_on_conflict
async def _recorded(env: Env, operator: Operator, account: Account) -> Account:
    """Record the export before anything is read, and return the account as it is now."""
    now = env.clock.now()
    async with env.store.transaction() as tx:
        current = await lock_for(tx, operator, Permission.PEOPLE_EXPORT, account.id, now)
        if current is None:
            raise PersonUnknown
        await tx.events.record(operator.event(now, EventKind.DATA_EXPORTED, account.id))
    return current


async def _while_permitted(env: Env, operator: Operator, pages: AsyncIterator[T]) -> AsyncIterator[T]:
    async for page in pages:
        async with env.store.reading() as read:
            await require_operator(read, operator, Permission.PEOPLE_EXPORT, env.clock.now())
        yield page
