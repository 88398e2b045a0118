"""Delete an account: everything that is known of a person goes, and whatever they were signed in to ends at once."""

from datetime import datetime

from vestibule.flows.end_sessions import announce_end
from vestibule.flows.end_trust import EVER, end_trust
from vestibule.flows.env import Env
from vestibule.flows.guess import prove_again
from vestibule.flows.identify import Caller
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.events import Event, EventKind
from vestibule.model.sessions import EndReason
from vestibule.model.visitors import Visitor

_EVENTS_AT_ONCE = 1_000  # so that nobody waits for their locks


async def delete_account(env: Env, account: Account) -> int:
    """Delete the account and all that belongs to it; how many sessions that ended. Doing it twice is no mistake.

    What stays is that things happened, with no word about to whom, and that the account of this id was deleted: who
    restores a backup has to delete it again. Anybody can make many things happen to it, so these are seen to first,
    some in each transaction.
    """
    while await _detach_some(env, account.id) == _EVENTS_AT_ONCE:
        pass
    return await _delete(env, account, None) or 0


async def delete_if_unused(env: Env, account: Account, since: datetime) -> bool:
    """The same for an account that nobody ever used, unless somebody does at this moment; whether it went."""
    return await _delete(env, account, since) is not None


@retry_on_conflict
async def _detach_some(env: Env, account_id: str) -> int:
    async with env.store.transaction() as tx:
        await tx.accounts.lock(account_id)
        return await tx.events.detach(account_id, _EVENTS_AT_ONCE)


@retry_on_conflict
async def _delete(env: Env, account: Account, unused_since: datetime | None) -> int | None:
    now = env.clock.now()
    async with env.store.transaction() as tx:
        # Nobody signs in while it goes: what refers to it goes with it, under the same lock.
        await tx.accounts.lock(account.id)
        if unused_since is not None and not await tx.accounts.never_used(unused_since, 1, account.id):
            return None
        ended = await end_trust(env, tx, account.id, EndReason.ACCOUNT_DELETED, now, ways_back_since=EVER)
        await tx.letters.forget(account.address, account.id)
        await tx.guesses.forgive_all(account.id, account.address)
        while await tx.events.detach(account.id, _EVENTS_AT_ONCE) == _EVENTS_AT_ONCE:
            pass  # what has happened since, and what the end of its sessions has just added
        if await tx.accounts.remove(account.id):
            await tx.events.record(Event(now, EventKind.ACCOUNT_DELETED, detail={"account": account.id}))
    await announce_end(env, ended)
    return len(ended.session_ids)


async def delete_my_account(env: Env, caller: Caller, password: str, visitor: Visitor) -> None:
    """The same for who is signed in and gives the password again; raises `WrongPassword` or `TooManyAttempts`."""
    await delete_account(env, await prove_again(env, caller, password, visitor))
