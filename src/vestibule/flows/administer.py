"""Administer: an operator signs an account out everywhere, disables it, or enables it again."""

from vestibule.flows.end_sessions import announce_end, end_account
from vestibule.flows.end_trust import EVER, end_trust, void_links
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.events import Event, EventKind
from vestibule.model.sessions import EndReason


async def find_account(env: Env, email: str) -> Account | None:
    """Return the account at a canonical email, or None."""
    async with env.store.reading() as read:
        return await read.accounts.with_email(email)


@retry_on_conflict
async def sign_out_everywhere(env: Env, account: Account) -> int:
    """End every session of the account; return how many ended. The owner can sign in again at once."""
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await tx.accounts.lock(account.id)
        ended = await end_account(env, tx, account.id, EndReason.ENDED_BY_OPERATOR, now)
    await announce_end(env, ended)
    return len(ended.session_ids)


@retry_on_conflict
async def disable_account(env: Env, account: Account) -> int | None:
    """Disable the account, end its sessions and void its mailed links. Return how many sessions ended, or None if the
    account was disabled already. The links stay void when the account is enabled again.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await tx.accounts.lock(account.id)
        disabled = await tx.accounts.disable(account.id, now)
        await tx.factor_resets.cancel(account.id)  # a disabled account is sent no letter, so its owner could not object
        ended = await end_trust(env, tx, account.id, EndReason.ACCOUNT_DISABLED, now, undo_since=EVER)
        if disabled:
            await tx.events.record(Event(now, EventKind.ACCOUNT_DISABLED, account.id))
    await announce_end(env, ended)
    return len(ended.session_ids) if disabled else None


@retry_on_conflict
async def enable_account(env: Env, account: Account) -> bool:
    """Let the account sign in again; return False if it was enabled already."""
    now = env.clock.now()
    async with env.store.transaction() as tx:
        enabled = await tx.accounts.enable(account.id, now)
        if enabled:
            await void_links(tx, account.id, now, undo_since=EVER)
            await tx.events.record(Event(now, EventKind.ACCOUNT_ENABLED, account.id))
    return enabled
