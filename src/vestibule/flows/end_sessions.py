"""End sessions: in the database with a reason, in the record that everybody follows, and in this process at once."""

from datetime import datetime

from vestibule.flows.env import Env
from vestibule.model.events import Event, EventKind
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.model.sessions import EndReason
from vestibule.model.store import Transaction


async def end_session(
    env: Env, tx: Transaction, session_id: str, account_id: str, reason: EndReason, now: datetime
) -> list[Revocation]:
    """End one session of an account, inside the caller's transaction; nothing if it was over already."""
    ended = await tx.sessions.end(session_id, account_id, reason, now)
    return await _write_down(env, tx, [session_id] if ended else [], account_id, reason, now)


async def end_all_sessions(
    env: Env, tx: Transaction, account_id: str, reason: EndReason, now: datetime, spare: str | None = None
) -> list[Revocation]:
    """End every session of an account, but for `spare`, inside the caller's transaction."""
    ended = await tx.sessions.end_all(account_id, reason, now, spare)
    return await _write_down(env, tx, ended, account_id, reason, now)


async def refuse_account(env: Env, tx: Transaction, account_id: str, now: datetime) -> list[Revocation]:
    """Refuse every token of an account that was issued before `now`, whatever its session."""
    forget_at = now + env.policy.revocation_memory
    return await tx.revocations.append([Revocation(now, RevocationKind.ACCOUNT, account_id, forget_at, now)])


async def tell_changed(env: Env, tx: Transaction, account_id: str, now: datetime) -> list[Revocation]:
    """What processes remember of the account is out of date; nobody is refused."""
    forget_at = now + env.policy.revocation_memory
    return await tx.revocations.append([Revocation(now, RevocationKind.ACCOUNT_CHANGED, account_id, forget_at)])


async def announce(env: Env, revocations: list[Revocation]) -> None:
    """After the commit: true here at once, and elsewhere as soon as the nudge arrives, or at the next look."""
    if not revocations:
        return
    env.learn(revocations, env.clock.monotonic())
    await env.nudges.send()
    await env.mirror.drop([r.subject for r in revocations if r.kind is RevocationKind.SESSION])


async def _write_down(
    env: Env, tx: Transaction, session_ids: list[str], account_id: str, reason: EndReason, now: datetime
) -> list[Revocation]:
    """In the record that every process follows, and among the events, with the reason."""
    forget_at, detail = now + env.policy.revocation_memory, {"reason": reason.value}
    await tx.events.record(
        *(Event(now, EventKind.SESSION_ENDED, account_id, id_, detail=detail) for id_ in session_ids)
    )
    return await tx.revocations.append([Revocation(now, RevocationKind.SESSION, id_, forget_at) for id_ in session_ids])
