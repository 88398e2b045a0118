"""My sessions: see where I am signed in, and end one of them, or all the others."""

from vestibule.flows.end_sessions import announce, end_all_sessions, end_session
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.reauthenticate import signed_in_lately
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.errors import ReauthenticationRequired, SessionUnknown
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason, Session


async def list_sessions(env: Env, caller: Caller) -> list[Session]:
    """The caller's live sessions, the one last seen first. "Last seen" moves with each refresh."""
    async with env.store.reading() as read:
        return await read.sessions.of_account(caller.account.id, env.clock.now())


@retry_on_conflict
async def end_one(env: Env, caller: Caller, session_id: str) -> None:
    """End one of the caller's sessions; raises `SessionUnknown`, and for another than the one that asks also
    `ReauthenticationRequired`.
    """
    now = env.clock.now()
    own = session_id == caller.session_id
    reason = EndReason.SIGNED_OUT if own else EndReason.SIGNED_OUT_ELSEWHERE
    revoked: list[Revocation] = []
    async with env.store.transaction() as tx:
        allowed = own or await signed_in_lately(env, tx, caller, now)
        if allowed:
            revoked = await end_session(env, tx, session_id, caller.account.id, reason, now)
    if not allowed:
        raise ReauthenticationRequired
    if not revoked:
        raise SessionUnknown
    await announce(env, revoked)


@retry_on_conflict
async def end_others(env: Env, caller: Caller) -> int:
    """End every session of the caller's but the one that asks; how many. Raises `ReauthenticationRequired`."""
    now = env.clock.now()
    revoked: list[Revocation] = []
    async with env.store.transaction() as tx:
        allowed = await signed_in_lately(env, tx, caller, now)
        if allowed:
            revoked = await end_all_sessions(
                env, tx, caller.account.id, EndReason.SIGNED_OUT_ELSEWHERE, now, spare=caller.session_id
            )
    if not allowed:
        raise ReauthenticationRequired
    await announce(env, revoked)
    return len(revoked)
