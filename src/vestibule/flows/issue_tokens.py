"""Issue the access token and the refresh token of a session."""

from dataclasses import dataclass
from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.follow_keys import require_fresh_keys
from vestibule.flows.second_factor_rule import require_enough_proof
from vestibule.model import access_tokens, refresh_tokens
from vestibule.model.accounts import Account
from vestibule.model.errors import Overloaded
from vestibule.model.sessions import Session
from vestibule.process.niced_threads import PoolFull
from vestibule.protocol.access_tokens import AccessToken
from vestibule.protocol.authentication import level_reached


@dataclass(frozen=True)
class Tokens:
    """Both tokens, and for how many seconds each is valid. `refresh_token` is None if none was issued."""

    access_token: str
    access_seconds: int
    refresh_token: str | None
    refresh_seconds: int


async def issue_tokens(env: Env, session: Session, account: Account, now: datetime) -> Tokens:
    """Return both tokens. Raises `Overloaded` if too many requests wait for a signature, and
    `SecondFactorEnrolmentRequired` if the account must have a second factor and the session began without one. Callers
    check that rule before they commit; the check here catches callers that forgot.

    Signs on a thread of low priority, so that a flood of sign-ins does not slow down people who are signed in. The
    access token never outlives the session's absolute or idle timeout, because services are told of neither.
    """
    require_enough_proof(env, account, session.methods)
    await require_fresh_keys(env)
    expires_at = min(now + env.policy.access_lifetime, session.idle_expires_at, session.expires_at)
    access = _access_token(session, account, now, expires_at)
    try:
        access_token, refresh_token = await env.signing.run(_sign, env, access, session)
    except PoolFull:
        raise Overloaded from None
    refresh_seconds = _seconds(session.idle_expires_at, now)
    return Tokens(access_token, _seconds(expires_at, now), refresh_token, refresh_seconds)


async def issue_acting_token(env: Env, session: Session, account: Account, now: datetime) -> Tokens:
    """Return the token of a session in which an operator acts as the account's owner: an access token that lives as
    long as the session, and no refresh token. Raises `Overloaded`.
    """
    await require_fresh_keys(env)
    access = _access_token(session, account, now, session.expires_at)
    try:
        token = await env.signing.run(access_tokens.sign, access, env.policy.issuer, env.keys.access)
    except PoolFull:
        raise Overloaded from None
    return Tokens(token, _seconds(session.expires_at, now), None, 0)


def _access_token(session: Session, account: Account, now: datetime, expires_at: datetime) -> AccessToken:
    return AccessToken(
        id=new_id(),
        account_id=account.id,
        session_id=session.id,
        role=account.role,
        issued_at=int(now.timestamp()),
        expires_at=int(expires_at.timestamp()),
        email_verified=account.verified,
        methods=session.methods,
        level=level_reached(session.methods),
        roles=account.roles,
        authenticated_at=0 if session.actor_id else int(session.authenticated_at.timestamp()),
        actor_id=session.actor_id,
    )


def _sign(env: Env, access: AccessToken, session: Session) -> tuple[str, str]:
    """Return the access and the refresh token, signed."""
    issuer = env.policy.issuer
    return (
        access_tokens.sign(access, issuer, env.keys.access),
        refresh_tokens.sign(session, issuer, env.keys.refresh),
    )


def _seconds(end: datetime, now: datetime) -> int:
    return max(int((end - now).total_seconds()), 0)
