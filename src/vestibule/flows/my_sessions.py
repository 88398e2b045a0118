"""My sessions: list the caller's live sessions, and end one of them, or all except the caller's own."""

from dataclasses import dataclass
from datetime import datetime

from vestibule.crypto.entropy import is_id
from vestibule.flows.announce import announce
from vestibule.flows.end_sessions import OTHERS_AT_ONCE, end_other_sessions, end_session
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.reauthenticate import lock_recent, require_recent_sign_in
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.errors import SessionUnknown
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason, Session
from vestibule.model.store import Ports

MOST_LISTED = 100
"""How many sessions a list has at most."""


@dataclass(frozen=True)
class SessionList:
    """The live sessions of an account, the last seen first; `not_listed` is the number of the others."""

    listed: list[Session]
    not_listed: int


async def list_sessions(env: Env, caller: Caller) -> SessionList:
    """Return the caller's live sessions. A session was last seen when its token was last refreshed."""
    async with env.store.reading() as read:
        return await live_sessions_of(read, caller.account.id, env.clock.now())


async def live_sessions_of(read: Ports, account_id: str, now: datetime) -> SessionList:
    """Return the live sessions of an account. Counts them only if there are more than can be listed."""
    listed = await read.sessions.of_account(account_id, MOST_LISTED, now)
    total = await read.sessions.count_live(account_id, now) if len(listed) == MOST_LISTED else len(listed)
    return SessionList(listed, max(0, total - len(listed)))


async def count_others(env: Env, caller: Caller) -> int:
    """Return how many other live sessions the caller's account has."""
    async with env.store.reading() as read:
        return max(0, await read.sessions.count_live(caller.account.id, env.clock.now()) - 1)


@retry_on_conflict
async def end_one(env: Env, caller: Caller, session_id: str) -> None:
    """End one of the caller's sessions. Raises `SessionUnknown` if it is over or not the caller's. Unless it is the
    session that asks, raises `ReauthenticationRequired` without a recent sign-in, and `SessionOver`.
    """
    if not is_id(session_id):
        raise SessionUnknown
    now = env.clock.now()
    own = session_id == caller.session_id
    reason = EndReason.SIGNED_OUT if own else EndReason.SIGNED_OUT_ELSEWHERE
    async with env.store.transaction() as tx:
        await tx.accounts.lock(caller.account.id)
        if not own:
            await require_recent_sign_in(env, tx, caller, now)
        revoked = await end_session(env, tx, session_id, caller.account.id, reason, now)
    if not revoked:
        raise SessionUnknown
    await announce(env, revoked)


async def end_others(env: Env, caller: Caller) -> int:
    """End all of the caller's sessions except the one that asks, a batch in each transaction; return how many ended.
    Raises `ReauthenticationRequired` without a recent sign-in, and `SessionOver`.
    """
    ended = 0
    while True:
        revoked = await _end_some_others(env, caller)
        await announce(env, revoked)
        ended += len(revoked)
        if len(revoked) < OTHERS_AT_ONCE:
            return ended


@retry_on_conflict
async def _end_some_others(env: Env, caller: Caller) -> list[Revocation]:
    """End a batch of the caller's other sessions; return the revocations. Raises `ReauthenticationRequired` if the
    sign-in is too long ago, and `SessionOver`.
    """
    now, reason = env.clock.now(), EndReason.SIGNED_OUT_ELSEWHERE
    async with env.store.transaction() as tx:
        await lock_recent(env, tx, caller, now)
        return await end_other_sessions(env, tx, caller.account.id, caller.session_id, reason, now)
