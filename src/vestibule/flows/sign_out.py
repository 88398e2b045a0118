"""Sign out: this session ends, at once and for good; the account's other devices stay signed in."""

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.model.events import Event, EventKind
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.model.sessions import EndReason


async def sign_out(env: Env, caller: Caller) -> None:
    """End the caller's session. Ending it twice is no mistake."""
    now = env.clock.now()
    async with env.store.transaction() as tx:
        if await tx.sessions.end(caller.session_id, EndReason.SIGNED_OUT, now):
            forget_at = now + env.policy.revocation_memory
            await tx.revocations.append(Revocation(now, RevocationKind.SESSION, caller.session_id, forget_at))
            await tx.events.record(Event(now, EventKind.SIGNED_OUT, caller.account.id, caller.session_id))
    await env.mirror.drop([caller.session_id])
