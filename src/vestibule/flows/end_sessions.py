"""End sessions: in the database with a reason, in the record that everybody follows, and in this process at once.

However many end: what is written, told and taken from Redis goes in batches, and where all sessions of an account end,
one revocation of the account stands for them.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vestibule.flows.env import Env
from vestibule.model.events import Event, EventKind
from vestibule.model.revocations import OVERLAP_SECONDS, Revocation, RevocationKind
from vestibule.model.sessions import EndReason, Issued, Session
from vestibule.model.store import Transaction

OTHERS_AT_ONCE = 5_000
"""Sessions that one transaction ends one by one."""
_LEARNT_AT_ONCE = 500
_MOST_EVENTS = 100
_MOST_UNSEEN = 500


@dataclass(frozen=True)
class Ended:
    """The sessions that ended, and what was written down of it for everybody who checks tokens."""

    session_ids: Sequence[str] = ()
    revocations: Sequence[Revocation] = ()


async def end_session(
    env: Env, tx: Transaction, session_id: str, account_id: str, reason: EndReason, now: datetime
) -> list[Revocation]:
    """End one session of an account, inside the caller's transaction; return its revocation, or nothing if it was over
    already.
    """
    ended = await tx.sessions.end(session_id, account_id, reason, now)
    return await _write_down(env, tx, ended, account_id, reason, now)


async def end_all_sessions(
    env: Env, tx: Transaction, account_id: str, reason: EndReason, now: datetime
) -> list[Revocation]:
    """End every session of an account, inside the caller's transaction; return a revocation for each."""
    ended = await tx.sessions.end_all(account_id, reason, now)
    return await _write_down(env, tx, ended, account_id, reason, now)


async def end_other_sessions(
    env: Env, tx: Transaction, account_id: str, spare: str, reason: EndReason, now: datetime
) -> list[Revocation]:
    """End sessions of an account except `spare`, inside the caller's transaction; return a revocation for each. Where
    there are more than `OTHERS_AT_ONCE`, the rest is for the next transaction.
    """
    ended = await tx.sessions.end_others(account_id, spare, OTHERS_AT_ONCE, reason, now)
    return await _write_down(env, tx, ended, account_id, reason, now)


async def end_account(env: Env, tx: Transaction, account_id: str, reason: EndReason, now: datetime) -> Ended:
    """End every session of an account and refuse every token that was issued before `now`, inside the caller's
    transaction; return what ended.

    One revocation stands for all. `iat` has whole seconds, so that it spares what was issued in this very second: a
    session that may have such a token is revoked by its id as well.
    """
    ended, limits = await tx.sessions.end_all(account_id, reason, now), env.policy.sessions
    await _record(tx, list(ended), account_id, reason, now)
    latest = {
        session_id: issued_at for session_id, issued_at in ended.items() if limits.may_have_issued(issued_at, now)
    }
    revoked = await _revoke(env, tx, latest, now) + await refuse_account(env, tx, account_id, now)
    return Ended(list(ended), revoked)


async def end_longest_unseen(env: Env, tx: Transaction, begun: Session, count: int, now: datetime) -> list[Revocation]:
    """End the sessions that an account has too many of, now that it has `count` with the one that has `begun`; return
    their revocations.
    """
    excess = min(count - env.policy.sessions.for_account, _MOST_UNSEEN)
    if excess <= 0:
        return []
    ended = await tx.sessions.end_longest_unseen(begun.account_id, excess, begun.id, now)
    return await _write_down(env, tx, ended, begun.account_id, EndReason.TOO_MANY_SESSIONS, now)


async def refuse_account(env: Env, tx: Transaction, account_id: str, now: datetime) -> list[Revocation]:
    """Refuse every token of an account that was issued before `now`, whatever its session; return the revocation."""
    purge_at = now + env.policy.revocation_memory
    return await tx.revocations.append([Revocation(now, RevocationKind.ACCOUNT, account_id, purge_at, now)])


async def tell_changed(tx: Transaction, account_id: str, now: datetime) -> list[Revocation]:
    """Record that what processes remember of the account is out of date; refuses nobody. Returns the record.

    A process that begins later remembers nothing, so that the record is over as soon as every other has read it.
    """
    purge_at = now + timedelta(seconds=OVERLAP_SECONDS)
    return await tx.revocations.append([Revocation(now, RevocationKind.ACCOUNT_CHANGED, account_id, purge_at)])


async def announce(env: Env, revocations: Sequence[Revocation], session_ids: Collection[str] = ()) -> None:
    """Make revocations known once they are committed: in this process at once, elsewhere as soon as the wake-up
    arrives, or at the next look. `session_ids` are sessions that ended without a revocation of their own.
    """
    if not revocations:
        return
    for start in range(0, len(revocations), _LEARNT_AT_ONCE):
        env.learn(list(revocations[start : start + _LEARNT_AT_ONCE]), env.clock.monotonic())
        await asyncio.sleep(0)  # others are answered meanwhile
    await env.wake_ups.send()
    revoked = (r.subject for r in revocations if r.kind is RevocationKind.SESSION)
    await env.replica.drop(list({*session_ids, *revoked}))


async def announce_end(env: Env, ended: Ended) -> None:
    """Make known that all sessions of an account ended, once that is committed."""
    await announce(env, ended.revocations, ended.session_ids)


async def _write_down(
    env: Env, tx: Transaction, ended: Issued, account_id: str, reason: EndReason, now: datetime
) -> list[Revocation]:
    """Write the end of sessions, with the reason, into the record that every process follows and among the events;
    return the revocations.
    """
    await _record(tx, list(ended), account_id, reason, now)
    return await _revoke(env, tx, ended, now)


async def _record(
    tx: Transaction, session_ids: Sequence[str], account_id: str, reason: EndReason, now: datetime
) -> None:
    """Record an event for each session; where they are very many, for the first of them, and one that counts the
    others.
    """
    detail, others = {"reason": reason.value}, len(session_ids) - _MOST_EVENTS
    events = [
        Event(now, EventKind.SESSION_ENDED, account_id, session_id, detail=detail)
        for session_id in session_ids[:_MOST_EVENTS]
    ]
    if others > 0:
        events.append(Event(now, EventKind.SESSION_ENDED, account_id, detail={**detail, "sessions": str(others)}))
    await tx.events.record(*events)


async def _revoke(env: Env, tx: Transaction, ended: Issued, now: datetime) -> list[Revocation]:
    """Record a revocation of each session, until its last token can have expired; return them. That is counted from the
    end or, where a clock was ahead, from later.
    """
    memory = env.policy.revocation_memory
    return await tx.revocations.append(
        [
            Revocation(now, RevocationKind.SESSION, session_id, max(now, issued_at) + memory)
            for session_id, issued_at in ended.items()
        ]
    )
