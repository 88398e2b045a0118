"""What the ports in `model/` promise, one by one, kept on SQLite and on PostgreSQL alike; and whom the suites store."""

from datetime import timedelta
from typing import Any

from tests.harness.clock import ManualClock
from vestibule.crypto.entropy import new_id
from vestibule.model.accounts import Account, Role
from vestibule.model.session_limits import SessionLimits
from vestibule.model.sessions import Device, Session, begin
from vestibule.model.store import Store

NOW = ManualClock().now()
LIMITS = SessionLimits(
    idle=timedelta(hours=1), absolute=timedelta(minutes=90), refresh_grace=timedelta(seconds=10), rotate=True
)


def an_account(**members: Any) -> Account:
    """Somebody with a password, not verified yet; `members` say what is different."""
    ordinary = {"name": "Ada", "email": "ada@example.com", "role": Role.USER, "verified": False}
    times = {"created_at": NOW, "updated_at": NOW}
    return Account(**{"id": new_id(), "password_hash": "a hash", **ordinary, **times, **members})


async def stored_account(store: Store, **members: Any) -> Account:
    """Such an account, in the store."""
    account = an_account(**members)
    async with store.transaction() as tx:
        assert await tx.accounts.add(account)
    return account


async def stored_session(store: Store, account: Account) -> Session:
    """A session of the account that begins now."""
    session = begin(new_id(), account.id, Device("a browser", "192.0.2.7"), LIMITS, NOW)
    async with store.transaction() as tx:
        assert await tx.sessions.open(session, account.epoch)
    return session
