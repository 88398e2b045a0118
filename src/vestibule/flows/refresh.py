"""Refresh: a refresh token becomes its successor and a new access token, and never signs out an innocent.

| presented counter          | meaning                                   | answer                                |
|----------------------------|-------------------------------------------|---------------------------------------|
| a live successor           | used for the first time                   | the next one; its siblings are dead   |
| the parent, within grace   | another tab raced, or an answer got lost  | the same successor; nothing changes   |
| the parent, later          | the answer was lost, or is very late      | one more live successor, 16 at most   |
| anything else              | a sibling was used instead: two hold this | the session ends                      |

The first and third row are one guarded UPDATE (`Sessions.rotate`); this flow reads what it left alone.
"""

from dataclasses import replace
from datetime import datetime

from vestibule.flows.env import Env
from vestibule.flows.issue_tokens import Tokens, issue_tokens
from vestibule.model import refresh_tokens
from vestibule.model.accounts import Account
from vestibule.model.errors import RefreshRefused
from vestibule.model.events import Event, EventKind
from vestibule.model.refresh_tokens import RefreshToken
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.model.sessions import EndReason, Session
from vestibule.model.store import Transaction


async def refresh(env: Env, refresh_token: str) -> Tokens:
    """The session's new tokens, without a refresh token where rotation is off; raises `RefreshRefused`."""
    now = env.clock.now()
    token = refresh_tokens.read(refresh_token, env.policy.issuer, env.keys.refresh, now)
    async with env.store.transaction() as tx:
        going_on = await _advance(env, tx, token, now)
    if going_on is None:
        await env.mirror.drop([token.session_id])
        raise RefreshRefused
    session, account = going_on
    await env.mirror.show(session, account)
    tokens = await issue_tokens(env, session, account, now)
    return tokens if env.policy.sessions.rotate else replace(tokens, refresh_token=None)


async def _advance(env: Env, tx: Transaction, token: RefreshToken, now: datetime) -> tuple[Session, Account] | None:
    """The session with the successor to hand out, and its account; None where there is none."""
    limits = env.policy.sessions
    rotated = limits.rotate and await tx.sessions.rotate(token.session_id, token.counter, limits, now)
    found = await tx.sessions.find(token.session_id)
    if found is None or not found[0].live(now) or found[1].disabled_at is not None:
        return None
    session, account = found
    if rotated or not limits.rotate or _raced(session, token, now, env):
        return session, account
    await _end_as_reused(env, tx, session, now)
    return None


def _raced(session: Session, token: RefreshToken, now: datetime, env: Env) -> bool:
    return token.counter == session.parent and now - session.issued_at <= env.policy.sessions.refresh_grace


async def _end_as_reused(env: Env, tx: Transaction, session: Session, now: datetime) -> None:
    if await tx.sessions.end(session.id, EndReason.REFRESH_TOKEN_REUSED, now):
        await tx.revocations.append(
            Revocation(now, RevocationKind.SESSION, session.id, now + env.policy.revocation_memory)
        )
        await tx.events.record(Event(now, EventKind.REFRESH_TOKEN_REUSED, session.account_id, session.id))
