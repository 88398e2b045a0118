"""My data: what is kept about me, to look at or to take away."""

from dataclasses import dataclass

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.model.accounts import Account
from vestibule.model.errors import SessionOver
from vestibule.model.events import Event
from vestibule.model.sessions import Session

EVERYTHING = 100_000


@dataclass(frozen=True)
class MyData:
    """An account with its sessions, live and over, and what happened to it, the latest first."""

    account: Account
    live: list[Session]
    past: list[Session]
    events: list[Event]


async def my_data(env: Env, caller: Caller, most: int = EVERYTHING) -> MyData:
    """All of it, but `most` of what is past; raises `SessionOver` where the account has just gone."""
    now = env.clock.now()
    account_id = caller.account.id
    async with env.store.reading() as read:
        account = await read.accounts.get(account_id)
        if account is None:
            raise SessionOver
        return MyData(
            account,
            await read.sessions.of_account(account_id, now),
            await read.sessions.past(account_id, most, now),
            await read.events.of_account(account_id, most),
        )
