"""Sign out: end this session at once, at every service. The account's other sessions stay."""

from datetime import datetime

from vestibule.flows.announce import announce
from vestibule.flows.end_sessions import end_session, end_session_alone
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason


@retry_on_conflict
async def sign_out(env: Env, caller: Caller) -> None:
    """End the caller's session. With an operator's session, end also those that it began, in which the operator acts as
    somebody else. Calling it twice is no error.
    """
    now, reason = env.clock.now(), EndReason.ACTING_ENDED if caller.actor_id else EndReason.SIGNED_OUT
    async with env.store.steps() as steps:
        revoked = await end_session_alone(
            env, steps, caller.session_id, caller.account.id, reason, now, caller.actor_id
        )
    await announce(env, revoked or await _end_with_others(env, caller, now))


@retry_on_conflict
async def _end_with_others(env: Env, caller: Caller, now: datetime) -> list[Revocation]:
    """End what `end_session_alone` leaves: a session in which an operator has begun to act as somebody else, and with
    it those acting sessions. Return the revocations; an empty list if the session was over already.
    """
    async with env.store.transaction() as tx:
        await tx.accounts.lock(caller.account.id)
        return await end_session(env, tx, caller.session_id, caller.account.id, EndReason.SIGNED_OUT, now)
