"""Choose the language in which the account's letters are written."""

from vestibule.flows.end_sessions import announce, tell_changed
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.retry import retry_on_conflict


@retry_on_conflict
async def choose_language(env: Env, caller: Caller, language: str) -> None:
    """Keep it with the account; letters that are already waiting follow it too."""
    now = env.clock.now()
    async with env.store.transaction() as tx:
        is_new = await tx.accounts.set_language(caller.account.id, language, now)
        changed = await tell_changed(tx, caller.account.id, now) if is_new else []
    await announce(env, changed)
