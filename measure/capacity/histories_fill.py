"""Fill a database of either kind in bulk with rows that strangers can add in any number."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import case, func, insert, literal, select
from sqlalchemy.sql.schema import Table

from tests.harness.process import PASSWORD
from tests.stories.bounds import number_as_id, numbers
from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.model.clock import SystemClock
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.schema import accounts, events, revocations, sessions

ROWS = int(os.environ.get("ROWS") or 1_000_000)
STANDING_OF = 50
"""One revocation in this many is still in force. Hashing limits a client that signs in and out all the time to some
twenty revocations a second, and each is in force for the life of an access token.
"""
LIVE = 1_000
"""Live sessions of each account: the most that a setting allows."""
_AT_ONCE = 20_000
PEOPLE = ("page", "others", "password", "delete", "disable")


async def _insert(engines: Engines, table: Table, many: int, values: Callable[[Any], dict[str, Any]]) -> None:
    """Insert `many` rows, `_AT_ONCE` in each statement: a statement may take some seconds only. `values` returns the
    columns, given the row's number `i`.
    """
    for first in range(0, many, _AT_ONCE):
        below = numbers(min(_AT_ONCE, many - first))
        n = select((below.c.i + first).label("i")).cte("shifted")
        given = {name: v if hasattr(v, "label") else literal(v, table.c[name].type) for name, v in values(n).items()}
        async with engines.sqlalchemy_transaction(seconds=None) as connection:
            await connection.execute(insert(table).from_select(list(given), select(*given.values()).select_from(n)))


async def people(engines: Engines) -> None:
    """Add the accounts that the other rows belong to. Their password is `PASSWORD`."""
    now, hashed = SystemClock().now(), Hasher(Argon2id()).hash(PASSWORD)
    rows = [
        {
            **dict.fromkeys(("created_at", "updated_at"), now - timedelta(days=80)),
            "id": f"account-{name}",
            "name": "Ada Lovelace",
            "email": f"{name}@example.com",
            "role": "user",
            "verified": True,
            "password_hash": hashed,
            "photo": "default.png",
            "epoch": 0,
        }
        for name in PEOPLE
    ]
    async with engines.sqlalchemy_transaction() as connection:
        await connection.execute(insert(accounts), rows)


async def _revocations(engines: Engines) -> None:
    now = SystemClock().now()

    def values(n: Any) -> dict[str, Any]:
        over, stands = (literal(now + timedelta(minutes=m), revocations.c.purge_at.type) for m in (-20, 60))
        purge_at = case((n.c.i % STANDING_OF == 0, stands), else_=over)
        return {"at": now - timedelta(hours=1), "kind": "session", "subject": number_as_id(n), "purge_at": purge_at}

    await _insert(engines, revocations, ROWS, values)


async def _events(engines: Engines) -> None:
    event = {"at": SystemClock().now(), "kind": "sign_in_refused", "account_id": "account-page", "detail": "{}"}
    await _insert(engines, events, ROWS, lambda _: event)


async def _sessions(engines: Engines) -> None:
    now = SystemClock().now()
    for place, name in enumerate(PEOPLE):
        ordinary = {
            "account_id": f"account-{name}",
            "user_agent": "a program",
            "network_address": "192.0.2.66",
            "idle_expires_at": now + timedelta(days=1),
            "expires_at": now + timedelta(days=7),
            "current": 1,
            "parent": 0,
            "base": 0,
        }
        ended = ordinary | {"ended_at": now, "end_reason": "signed_out"}
        for part in range(ROWS // 10 // LIVE):  # the first part is live; each began at another time
            began = dict.fromkeys(("created_at", "last_seen_at", "issued_at"), now - timedelta(minutes=1 + part))
            row, prefix = (ended if part else ordinary) | began, literal(f"{place}{part:04}")

            def values(n: Any, row: dict[str, Any] = row, prefix: Any = prefix) -> dict[str, Any]:
                return row | {"id": prefix + func.substr(number_as_id(n), 6)}

            await _insert(engines, sessions, LIVE, values)


FILLS = {"revocations": _revocations, "events": _events, "sessions": _sessions}
