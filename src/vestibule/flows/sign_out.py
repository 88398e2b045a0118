"""Sign out: end this session at once, at every service. The account's other sessions stay."""

from vestibule.flows.announce import announce
from vestibule.flows.end_sessions import end_session_alone
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.sessions import EndReason


@retry_on_conflict
async def sign_out(env: Env, caller: Caller) -> None:
    """End the caller's session. Calling it twice is no error."""
    now = env.clock.now()
    async with env.store.steps() as steps:
        revoked = await end_session_alone(env, steps, caller.session_id, caller.account.id, EndReason.SIGNED_OUT, now)
    await announce(env, revoked)
