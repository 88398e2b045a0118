"""Delete an account: everything that is known of a person goes, and whatever they were signed in to ends at once."""

from vestibule.flows.end_sessions import announce, end_all_sessions, refuse_account
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.model.accounts import Account
from vestibule.model.errors import WrongPassword
from vestibule.model.events import Event, EventKind
from vestibule.model.sessions import EndReason


async def delete_account(env: Env, account: Account) -> int:
    """Delete the account and all that belongs to it; how many sessions that ended. Doing it twice is no mistake.

    What stays is that things happened, with no word about to whom, and that the account of this id was deleted: who
    restores a backup has to delete it again.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        # Before the account, in the order of every flow that locks both.
        await tx.one_time_tokens.void(account.id, undo_too=True)
        # Shut first, so that nobody signs in while it goes.
        await tx.accounts.disable(account.id, now)
        ended = await end_all_sessions(env, tx, account.id, EndReason.ACCOUNT_DELETED, now)
        refused = await refuse_account(env, tx, account.id, now)
        await tx.letters.forget(account.address)
        await tx.events.detach(account.id)
        if await tx.accounts.remove(account.id):
            await tx.events.record(Event(now, EventKind.ACCOUNT_DELETED, detail={"account": account.id}))
    await announce(env, ended + refused)
    return len(ended)


async def delete_my_account(env: Env, caller: Caller, password: str) -> None:
    """The same for who is signed in and gives the password again; raises `WrongPassword`."""
    async with env.store.reading() as read:
        account = await read.accounts.get(caller.account.id)
    if account is None or not await env.passwords.match(password, account.password_hash):
        raise WrongPassword
    await delete_account(env, account)
