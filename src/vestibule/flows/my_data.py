"""My data: show callers what is stored about them, and export it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.my_factors import MyFactors, read_own_factors
from vestibule.flows.my_sessions import SessionList, live_sessions_of
from vestibule.flows.reauthenticate import require_recent_sign_in
from vestibule.model.accounts import Account
from vestibule.model.errors import SessionOver
from vestibule.model.events import Event
from vestibule.model.passkeys import Passkey
from vestibule.model.sessions import Session

ROWS_AT_ONCE = 200
"""Rows read at once. Converting more to JSON would keep the event loop from other requests for too long."""
MOST_ON_ACCOUNT_PAGE = 20  # of past sessions, and of events
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)  # later than every row: the first page begins here


@dataclass(frozen=True)
class Overview:
    """The live sessions of an account, with the latest of its past sessions and of its events."""

    live: SessionList
    past: list[Session]
    events: list[Event]


@dataclass(frozen=True)
class MyData:
    """An account with its second factors, its live and past sessions and its events, the latest first. Each page of
    sessions and events is read only when it is needed, because there may be very many.
    """

    account: Account
    factors: MyFactors
    passkeys: Sequence[Passkey]
    live: AsyncIterator[Sequence[Session]]
    past: AsyncIterator[Sequence[Session]]
    events: AsyncIterator[Sequence[Event]]


async def account_overview(env: Env, caller: Caller) -> Overview:
    """Return the part of the caller's data that the account page shows."""
    now, account_id = env.clock.now(), caller.account.id
    async with env.store.reading() as read:
        return Overview(
            await live_sessions_of(read, account_id, now),
            await read.sessions.past(account_id, MOST_ON_ACCOUNT_PAGE, now),
            [event.for_owner() for event in await read.events.of_account(account_id, MOST_ON_ACCOUNT_PAGE)],
        )


async def my_data(env: Env, caller: Caller) -> MyData:
    """Return all data of the caller's account. Raises `SessionOver` if the account was just deleted, and
    `ReauthenticationRequired` if the sign-in is too long ago.
    """
    async with env.store.reading() as read:
        account = await read.accounts.get(caller.account.id)
        await require_recent_sign_in(env, read, caller, env.clock.now())
    if account is None:
        raise SessionOver
    return await data_of(env, account)


async def data_of(env: Env, account: Account) -> MyData:
    """Return all data of an account, as its owner may see it. For a flow that has checked who asks."""
    now = env.clock.now()
    async with env.store.reading() as read:
        factors = await read_own_factors(read, account.id)
        passkeys = await read.passkeys.of_account(account.id)
    live, past = (_sessions(env, account.id, now, live=live) for live in (True, False))
    return MyData(account, factors, passkeys, live, past, _events(env, account.id))


async def _sessions(env: Env, account_id: str, now: datetime, *, live: bool) -> AsyncIterator[Sequence[Session]]:
    before = (_LATEST, "")
    while True:
        async with env.store.reading() as read:
            page = await read.sessions.page(account_id, before, ROWS_AT_ONCE, now, live=live)
        if not page:
            return
        yield page
        last = page[-1]
        before = (last.created_at, last.id)


async def _events(env: Env, account_id: str) -> AsyncIterator[Sequence[Event]]:
    before = (_LATEST, 0)
    while True:
        async with env.store.reading() as read:
            page = await read.events.page(account_id, before, ROWS_AT_ONCE)
        if not page:
            return
        yield [event.for_owner() for _, event in page]
        last_id, last = page[-1]
        before = (last.at, last_id)
