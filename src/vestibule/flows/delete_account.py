"""Delete an account: everything that is known of a person goes, and whatever they were signed in to ends at once."""

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


@retry_on_conflict
async def delete_account(env: Env, account: Account) -> int:
    """Delete the account and all that belongs to it; how many sessions that ended. Doing it twice is no mistake.

    What stays is that things happened, with no word about to whom, and that the account of this id was deleted: who
    restores a backup has to delete it again.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        # Nobody signs in while it goes: what refers to it goes with it, under the same lock.
        await tx.accounts.lock(account.id)
        ended = await end_trust(env, tx, account.id, EndReason.ACCOUNT_DELETED, now, ways_back_since=EVER)
        await tx.letters.forget(account.address, account.id)
        await tx.guesses.forgive_all(account.id, account.address)
        await tx.events.detach(account.id)
        if await tx.accounts.remove(account.id):
            await tx.events.record(Event(now, EventKind.ACCOUNT_DELETED, detail={"account": account.id}))
    await announce_end(env, ended)
    return len(ended.session_ids)


async def delete_my_account(env: Env, caller: Caller, password: str, visitor: Visitor) -> None:
    """The same for who is signed in and gives the password again; raises `WrongPassword` or `TooManyAttempts`."""
    await delete_account(env, await prove_again(env, caller, password, visitor))
