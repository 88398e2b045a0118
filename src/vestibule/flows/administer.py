"""Administer: an operator shuts an account, or opens it again."""

from vestibule.flows.end_sessions import announce, end_all_sessions, refuse_account
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.events import Event, EventKind
from vestibule.model.sessions import EndReason


async def find_account(env: Env, address: str) -> Account | None:
    """The account at a canonical address."""
    async with env.store.reading() as read:
        return await read.accounts.at_address(address)


@retry_on_conflict
async def disable_account(env: Env, account: Account) -> int:
    """Nobody signs in to it from now on, and whoever is signed in is not any more; how many sessions that ended."""
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await tx.accounts.disable(account.id, now)
        ended = await end_all_sessions(env, tx, account.id, EndReason.ACCOUNT_DISABLED, now)
        refused = await refuse_account(env, tx, account.id, now)
        await tx.events.record(Event(now, EventKind.ACCOUNT_DISABLED, account.id))
    await announce(env, ended + refused)
    return len(ended)


@retry_on_conflict
async def enable_account(env: Env, account: Account) -> bool:
    """Its owner may sign in again; False if that was so already."""
    now = env.clock.now()
    async with env.store.transaction() as tx:
        opened = await tx.accounts.enable(account.id, now)
        if opened:
            await tx.events.record(Event(now, EventKind.ACCOUNT_ENABLED, account.id))
    return opened
