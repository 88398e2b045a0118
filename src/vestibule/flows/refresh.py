"""Refresh: exchange a refresh token for its successor and a new access token, without signing out honest users.

Each refresh token carries a counter. The parent is the last counter that was accepted; its live successors are the
counters that were issued in exchange for it.

| presented counter          | meaning                                   | answer                                |
|----------------------------|-------------------------------------------|---------------------------------------|
| a live successor           | used for the first time                   | the next one; its siblings are dead   |
| the parent, within grace   | another tab raced, or an answer got lost  | the same successor; nothing changes   |
| the parent, later          | the answer was lost, or is very late      | one more live successor, 16 at most   |
| anything else              | a sibling was used: two hold this token   | the session ends                      |

If the account must have a second factor, and the session began without one, it ends too, whatever the counter is.

`Sessions.rotate` does the first and third row in one guarded UPDATE, and returns what the tokens need. If the UPDATE
changed nothing, this flow reads the session, and tells the second row from the fourth. `docs/decisions/0004-refresh.md`
says why.

A step-up issues the current counter once more, with the new methods; to other tabs this looks like an answer that got
lost. Refreshed tokens keep the methods and the time of sign-in of the token that was presented:
`docs/decisions/0047-step-up.md`.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.flows.announce import announce
from vestibule.flows.end_sessions import end_session
from vestibule.flows.env import Env
from vestibule.flows.follow_keys import read_with_fresh_keys
from vestibule.flows.issue_tokens import Tokens, issue_tokens
from vestibule.flows.know_device import circumstances
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.second_factor_rule import proves_enough
from vestibule.flows.tell_if_shared import tell_if_shared
from vestibule.flows.tell_owner import tell_owner
from vestibule.model import refresh_tokens
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import RefreshRefused
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.refresh_tokens import RefreshToken
from vestibule.model.revocations import Revocation
from vestibule.model.session_limits import SessionLimits
from vestibule.model.sessions import Device, EndReason, Session


@dataclass(frozen=True)
class _Outcome:
    """What a transaction decided. `going_on`: the session, if it goes on, with its account; `raced`: another tab has
    refreshed it already. `reused`: the session, if its token was reused and it must end. `reason`: why it is over.
    """

    going_on: tuple[Session, Account] | None = None
    raced: bool = False
    reused: Session | None = None
    reason: EndReason | None = None
    revoked: tuple[Revocation, ...] = ()


async def refresh(env: Env, refresh_token: str, device: Device) -> Tokens:
    """Return the session's new tokens; without a refresh token if rotation is off. `device` is the one that asks.
    Raises `RefreshRefused` if the token is invalid or its session has ended, and `Overloaded` if too many requests wait
    for a signature.
    """
    now = env.clock.now()
    token = await read_refresh_token(env, refresh_token)
    if token.expired:
        raise RefreshRefused(await _why_over(env, token, now))
    outcome = await _advance(env, token, now)
    if outcome.reused is not None:
        outcome = await _end_as_reused(env, outcome.reused, now)
    if outcome.going_on is None:
        if outcome.revoked:
            env.letters_waiting.set()
        await announce(env, list(outcome.revoked))
        raise RefreshRefused(outcome.reason)
    session, account = outcome.going_on
    presented = token.presented_for(session)
    if not proves_enough(env, account, presented.methods):
        await _end_as_too_weak(env, session, account, now)
        raise RefreshRefused(EndReason.SECOND_FACTOR_REQUIRED)
    if outcome.raced:
        await tell_if_shared(env, session, device, now)
    await env.replica.put(session, account)
    tokens = await issue_tokens(env, presented, account, now)
    return tokens if env.policy.sessions.rotate else replace(tokens, refresh_token=None)


async def read_refresh_token(env: Env, text: str) -> RefreshToken:
    """Return the claims of a refresh token, also if it has expired; raises `RefreshRefused` and `StoreUnavailable`."""
    return await read_with_fresh_keys(
        env,
        text,
        lambda: env.keys.refresh,
        lambda keys: refresh_tokens.read(text, env.policy.issuer, keys, env.clock.now()),
    )


async def _why_over(env: Env, token: RefreshToken, now: datetime) -> EndReason | None:
    """Return why the session of an expired token has ended; None if it is unknown, or still live by a newer token."""
    async with env.store.reading() as read:
        found = await read.sessions.find(token.session_id)
    if found is None:
        return None
    session, _account = found
    return session.why_over(now)


@retry_on_conflict
async def _advance(env: Env, token: RefreshToken, now: datetime) -> _Outcome:
    limits, rotated = env.policy.sessions, None
    async with env.store.steps() as steps:
        if limits.rotate:
            rotated = await steps.sessions.rotate(token.session_id, token.counter, limits, now)
        found = rotated or await steps.sessions.find(token.session_id)
    if found is None:
        return _Outcome()
    session, account = found
    if account.disabled_at is not None or not session.live(now):
        return _Outcome(reason=session.why_over(now) or EndReason.ACCOUNT_DISABLED)
    if rotated or not limits.rotate:
        return _Outcome(going_on=found)
    if _raced(session, token, limits, now):
        return _Outcome(going_on=found, raced=True)
    return _Outcome(reused=session)


def _raced(session: Session, token: RefreshToken, limits: SessionLimits, now: datetime) -> bool:
    return token.counter == session.parent and now - session.issued_at <= limits.refresh_grace


@retry_on_conflict
async def _end_as_reused(env: Env, session: Session, now: datetime) -> _Outcome:
    """End the session, because its token was used twice, and return the outcome."""
    reason = EndReason.REFRESH_TOKEN_REUSED
    async with env.store.transaction() as tx:
        await tx.accounts.lock(session.account_id)
        revoked = await end_session(env, tx, session.id, session.account_id, reason, now)
        if revoked:
            await tx.events.record(Event(now, EventKind.REFRESH_TOKEN_REUSED, session.account_id, session.id))
            detail = circumstances(ClientInfo(session.device), session.created_at)
            letter = QueuedLetter(new_id(), LetterKind.TOKEN_REUSED, now, session.account_id, detail=detail)
            await tell_owner(tx, letter)
    return _Outcome(reason=reason, revoked=tuple(revoked))


@retry_on_conflict
async def _end_as_too_weak(env: Env, session: Session, account: Account, now: datetime) -> None:
    """End a session that began without the second factor that its account must have. If it was stepped up, it goes on:
    only the presented token, which is older, must not.
    """
    if proves_enough(env, account, session.methods):
        return
    async with env.store.transaction() as tx:
        await tx.accounts.lock(account.id)
        revoked = await end_session(env, tx, session.id, account.id, EndReason.SECOND_FACTOR_REQUIRED, now)
    await announce(env, revoked)
