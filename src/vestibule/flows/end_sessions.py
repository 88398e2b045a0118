"""End sessions: write the reason to the database, and append a revocation to the record that every process reads.

An account may have very many sessions. So rows, events and revocations are written in batches, and when all sessions of
an account end, one revocation of the whole account covers most of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vestibule.flows.announce import announce
from vestibule.flows.env import Env
from vestibule.model.endings import Ending
from vestibule.model.events import EventKind
from vestibule.model.operators import Operator
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.model.sessions import EndedSessions, EndReason, Session
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Method

OTHERS_AT_ONCE = 5_000
"""Sessions that `end_other_sessions` ends in one transaction."""
_MOST_EVENTS = 100  # recorded one by one, by one transaction
_MOST_UNSEEN = 500  # ended by one sign-in


@dataclass(frozen=True)
class Ended:
    """The sessions that ended, and the revocations for everybody who checks tokens."""

    session_ids: Sequence[str] = ()
    revocations: Sequence[Revocation] = ()


async def end_session_alone(
    env: Env,
    steps: Ports,
    session_id: str,
    account_id: str,
    reason: EndReason,
    now: datetime,
    actor_id: str | None = None,
) -> list[Revocation]:
    """Lock the account and end one session of it, as one step outside a transaction (`Store.steps`); return its
    revocation, or an empty list if the session was over already, or if an operator has begun to act as somebody else in
    it. `actor_id` is the operator who acts in the session itself.
    """
    ending = replace(_ending(env, account_id, reason, now), actor_id=actor_id)
    return await steps.endings.end(session_id, ending)


async def end_session(
    env: Env, tx: Ports, session_id: str, account_id: str, reason: EndReason, now: datetime
) -> list[Revocation]:
    """End one session of an account, inside the caller's transaction; return its revocation, or an empty list if the
    session was over already.
    """
    ended = await tx.sessions.end(session_id, account_id, reason, now)
    return await _record_and_revoke(env, tx, ended, account_id, reason, now)


async def end_session_for(
    env: Env, tx: Ports, operator: Operator, session_id: str, account_id: str, now: datetime
) -> list[Revocation]:
    """End one session of an account for an operator, as `end_session` does; the event says who it was."""
    reason = EndReason.ENDED_BY_OPERATOR
    ended = await tx.sessions.end(session_id, account_id, reason, now)
    if ended:
        event = operator.event(now, EventKind.SESSION_ENDED, account_id, reason=reason.value)
        await tx.events.record(replace(event, session_id=session_id))
    return await _revoke(tx, ended, _ending(env, account_id, reason, now))


async def end_all_sessions(env: Env, tx: Ports, account_id: str, reason: EndReason, now: datetime) -> list[Revocation]:
    """End every session of an account, inside the caller's transaction; return a revocation for each."""
    ended = await tx.sessions.end_all(account_id, reason, now)
    return await _record_and_revoke(env, tx, ended, account_id, reason, now)


async def end_other_sessions(
    env: Env, tx: Ports, account_id: str, spare: str, reason: EndReason, now: datetime
) -> list[Revocation]:
    """End at most `OTHERS_AT_ONCE` sessions of an account, but not the session `spare`, inside the caller's
    transaction; return a revocation for each. The caller begins another transaction for the rest.
    """
    ended = await tx.sessions.end_others(account_id, spare, OTHERS_AT_ONCE, reason, now)
    return await _record_and_revoke(env, tx, ended, account_id, reason, now)


async def end_sessions_by(
    env: Env, tx: Ports, account_id: str, spare: str, method: Method, now: datetime
) -> list[Revocation]:
    """End at most `OTHERS_AT_ONCE` sessions, never `spare`, in which this method proved a second factor: the factor is
    no longer the account's. Call it inside the transaction that removes the factor; return the revocations.
    """
    reason = EndReason.SIGNED_OUT_ELSEWHERE
    ended = await tx.sessions.end_others_by(account_id, spare, method, OTHERS_AT_ONCE, reason, now)
    return await _record_and_revoke(env, tx, ended, account_id, reason, now)


async def end_account(env: Env, tx: Ports, account_id: str, reason: EndReason, now: datetime) -> Ended:
    """End every session of an account and refuse every token that was issued before `now`, inside the caller's
    transaction; return what ended.

    One revocation of the account covers every token that was issued before this second: `iat` has whole seconds. A
    session that may have a token of this same second is revoked by its id as well.
    """
    ended, limits = await tx.sessions.end_all(account_id, reason, now), env.policy.sessions
    ending = _ending(env, account_id, reason, now)
    await _record(tx, list(ended), ending)
    not_covered = EndedSessions(
        (session_id, issued_at)
        for session_id, issued_at in ended.items()
        if limits.may_have_token_of_second(issued_at, now)
    )
    not_covered.acted = ended.acted
    revoked = await _revoke(tx, not_covered, ending) + await revoke_account(env, tx, account_id, now)
    return Ended(list(ended), revoked)


async def end_longest_unseen(env: Env, tx: Ports, begun: Session, count: int, now: datetime) -> list[Revocation]:
    """End the longest unseen sessions of an account that has too many; return their revocations. `begun` is its newest
    session, which stays; `count` is the number of its sessions, including that one.
    """
    excess = min(count - env.policy.sessions.for_account, _MOST_UNSEEN)
    if excess <= 0:
        return []
    ended = await tx.sessions.end_longest_unseen(begun.account_id, excess, begun.id, now)
    return await _record_and_revoke(env, tx, ended, begun.account_id, EndReason.TOO_MANY_SESSIONS, now)


async def revoke_account(env: Env, tx: Ports, account_id: str, now: datetime) -> list[Revocation]:
    """Refuse every token of an account that was issued before `now`, of any session; return the revocation."""
    purge_at = now + env.policy.revocation_memory
    return await tx.revocations.append([Revocation(now, RevocationKind.ACCOUNT, account_id, purge_at, now)])


async def announce_end(env: Env, ended: Ended) -> None:
    """Announce that all sessions of an account ended. Call it after the commit."""
    await announce(env, ended.revocations, ended.session_ids)


async def _record_and_revoke(
    env: Env, tx: Ports, ended: EndedSessions, account_id: str, reason: EndReason, now: datetime
) -> list[Revocation]:
    """Record an event and a revocation for each session that ended; return the revocations."""
    ending = _ending(env, account_id, reason, now)
    await _record(tx, list(ended), ending)
    return await _revoke(tx, ended, ending)


def _ending(env: Env, account_id: str, reason: EndReason, now: datetime) -> Ending:
    return Ending(account_id, reason, now, env.policy.revocation_memory)


async def _record(tx: Ports, session_ids: Sequence[str], ending: Ending) -> None:
    """Record an event for each of the first sessions, and one event with the number of the others, if any."""
    events = [ending.event(session_id) for session_id in session_ids[:_MOST_EVENTS]]
    if (others := len(session_ids) - _MOST_EVENTS) > 0:
        events.append(ending.event(None, {"sessions": str(others)}))
    await tx.events.record(*events)


async def _revoke(tx: Ports, ended: EndedSessions, ending: Ending) -> list[Revocation]:
    """Record a revocation of each session. End and revoke also the sessions in which an operator acts who was signed in
    by one of them. Return all revocations.
    """
    revoked = await tx.revocations.append(
        [ending.revocation(session_id, issued_at) for session_id, issued_at in ended.items()]
    )
    for session_id in ended.acted:
        revoked += await _end_acting(tx, session_id, ending.at, ending.memory)
    return revoked


async def end_acting(env: Env, tx: Ports, parent_id: str, now: datetime) -> list[Revocation]:
    """End the sessions in which an operator acts who is signed in by the session `parent_id`, inside the caller's
    transaction, which has locked the operator's account. Record an event and a revocation of each, and return these.
    """
    return await _end_acting(tx, parent_id, now, env.policy.revocation_memory)


async def _end_acting(tx: Ports, parent_id: str, now: datetime, memory: timedelta) -> list[Revocation]:
    revoked: list[Revocation] = []
    for session in await tx.sessions.end_acting(parent_id, EndReason.ACTING_ENDED, now):
        acting = Ending(session.account_id, EndReason.ACTING_ENDED, now, memory, session.actor_id)
        await tx.events.record(acting.event(session.id))
        revoked += await tx.revocations.append([acting.revocation(session.id, session.issued_at)])
    return revoked
