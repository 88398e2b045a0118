"""Choose the language in which the account's letters are written."""

from vestibule.flows.announce import announce, record_account_changed
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.retry import retry_on_conflict


@retry_on_conflict
async def choose_language(env: Env, caller: Caller, language: str) -> None:
    """Store the language with the caller's account. Letters already in the outbox are sent in it too."""
    now = env.clock.now()
    async with env.store.transaction() as tx:
        changed = await tx.accounts.set_language(caller.account.id, language, now)
        # Other processes remember the account with the old language.
        records = await record_account_changed(tx, caller.account.id, now) if changed else []
    await announce(env, records)
