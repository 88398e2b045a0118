"""Stop acting: end the sessions in which an operator acts as somebody else, with or without the operator's own."""

from vestibule.flows.announce import announce
from vestibule.flows.end_sessions import end_acting
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.sign_out import sign_out
from vestibule.model.impersonation import MOST_AT_ONCE
from vestibule.model.revocations import Revocation


async def stop_acting(env: Env, session_id: str) -> None:
    """End this session, in which an operator acts, and every other one that the same sign-in of the operator began: of
    two tabs that began at once, the browser keeps the token of one. Calling it twice is no error.
    """
    await announce(env, await _stop(env, session_id))


@retry_on_conflict
async def _stop(env: Env, session_id: str) -> list[Revocation]:
    async with env.store.transaction() as tx:
        found, now = await tx.sessions.find(session_id), env.clock.now()
        if found is None or found[0].actor_id is None or found[0].parent_id is None:
            return []
        acting = await tx.sessions.acting(found[0].actor_id, MOST_AT_ONCE, now)
        people = {found[0].account_id, *(account.id for _, account in acting)}
        await tx.accounts.lock_these(sorted({found[0].actor_id, *people}))  # as `impersonate` does
        return await end_acting(env, tx, found[0].parent_id, now)


async def sign_out_operator(env: Env, session_id: str) -> None:
    """End the session of the operator who began this acting session, and with it this one, if it still lives."""
    async with env.store.reading() as read:
        found = await read.sessions.find(session_id)
        operators = await read.sessions.find(found[0].parent_id or "") if found is not None else None
    if operators is not None:
        session, account = operators
        await sign_out(env, Caller(session.id, account, session.idle_expires_at))
