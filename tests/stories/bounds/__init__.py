"""What strangers can make more of: at ten times its bound, nothing stops working, grows or keeps anybody waiting."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CTE, String, cast, func, insert, literal, select
from sqlalchemy.sql.schema import Table

from tests.harness.world import POLICY, World
from vestibule.storage.sql.schema import sessions

_FIRST = 100_000_000
_BEFORE_THE_NUMBER = "00000000-0000-4000-8000-000"


def numbers(many: int) -> CTE:
    """A table of the numbers below `many`, made by the database."""
    n = select(literal(0).label("i")).cte("n", recursive=True)
    return n.union_all(select(n.c.i + 1).where(n.c.i < many - 1))


def number_as_id(n: CTE) -> Any:
    """The id of a row, out of its number."""
    return literal(_BEFORE_THE_NUMBER) + cast(n.c.i + _FIRST, String)


async def fill(world: World, table: Table, many: int, values: dict[str, Any], n: CTE | None = None) -> None:
    """Put `many` rows into a table with one statement; `values` may be made of `n.c.i`."""
    n = numbers(many) if n is None else n
    typed = [v if hasattr(v, "label") else literal(v, table.c[name].type) for name, v in values.items()]
    async with world.engines.sqlalchemy_transaction(seconds=None) as connection:
        await connection.execute(insert(table).from_select(list(values), select(*typed).select_from(n)))


async def fill_sessions(world: World, account_id: str, many: int, seen: datetime | None = None, **values: Any) -> None:
    """Sessions of an account, live if `values` do not say otherwise, last seen a minute ago."""
    now, n = world.clock.now(), numbers(many)
    seen = seen or now - timedelta(minutes=1)
    ordinary = {
        "id": number_as_id(n),
        "account_id": account_id,
        "user_agent": "a program",
        "network_address": "192.0.2.66",
        "created_at": seen,
        "last_seen_at": seen,
        "idle_expires_at": seen + POLICY.sessions.idle,
        "expires_at": seen + POLICY.sessions.absolute,
        "issued_at": seen,
        "current": 1,
        "parent": 0,
        "base": 0,
    }
    await fill(world, sessions, many, ordinary | values, n)


async def count(world: World, table: Table, *which: Any) -> int:
    """How many rows there are."""
    async with world.engines.sqlalchemy_reading() as connection:
        return int((await connection.execute(select(func.count()).select_from(table).where(*which))).scalar_one())
