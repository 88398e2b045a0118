"""Identify: return the caller who sent an access token, if its session is still live. Only this flow decides that."""

import hashlib
from datetime import datetime
from functools import lru_cache

from vestibule.flows.env import Env
from vestibule.flows.follow_keys import read_with_fresh_keys
from vestibule.model import access_tokens
from vestibule.model.accounts import Account
from vestibule.model.errors import SessionOver, StoreUnavailable
from vestibule.model.impersonation import Impersonation
from vestibule.model.sessions import EndReason, Session
from vestibule.protocol.access_tokens import AccessToken
from vestibule.state.memory import Caller as Caller  # noqa: PLC0414  # exported: this flow returns it
from vestibule.state.memory import Found

_DIGESTS_KEPT = 512  # of the tokens used last. The cache keeps their texts: usually half a megabyte, at most 8 MB


def identify_from_memory(env: Env, access_token: str) -> Caller | None:
    """Return the caller, if this process's memory can tell; None if the database must be asked. Does no I/O and never
    refuses.
    """
    token = env.memory.token(_memory_key(access_token))
    if token is None or not env.revocations.trusted(env.clock.monotonic()) or env.revocations.refuses(token):
        return None
    now = env.clock.now()
    caller = env.memory.session(token.session_id)
    if caller is None or caller.account.id != token.account_id or now >= caller.usable_until:
        return None
    if not _still_good(env, token, now):
        return None
    env.memory.hits += 1
    return caller.of_token(token)


async def identify(env: Env, access_token: str) -> Caller:
    """Return the caller. Raises `AccessTokenInvalid` for an invalid token, `SessionOver` for a token whose session has
    ended, and `StoreUnavailable` if neither memory nor the database can tell.
    """
    caller = identify_from_memory(env, access_token)
    if caller is not None:
        return caller
    token = await read_token(env, access_token)
    env.memory.misses += 1
    session, caller = await _ask(env, token)
    _require_live(env, token, session, caller.account)
    return caller.of_token(token)


async def read_token(env: Env, access_token: str) -> AccessToken:
    """Return the claims of a token, from memory or after its signature was verified; raises `AccessTokenInvalid`."""
    key, now = _memory_key(access_token), env.clock.now()
    token = env.memory.token(key)
    if token is None or not _still_good(env, token, now):
        token = await read_with_fresh_keys(
            env,
            access_token,
            lambda: env.keys.access,
            lambda keys: access_tokens.read(access_token, env.policy.issuer, keys, now),
        )
        env.memory.keep_token(key, token)
    return token


def _still_good(env: Env, token: AccessToken, now: datetime) -> bool:
    return access_tokens.still_good(token, env.policy.issuer, env.keys.access.checking, now)


async def _ask(env: Env, token: AccessToken) -> Found:
    """Return the token's session as the database has it; raises `SessionOver` or `StoreUnavailable`."""
    try:
        found = await _look_up_once(env, token)
    except StoreUnavailable:
        if env.revocations.refuses(token):
            raise SessionOver from None
        raise
    if found is None:
        raise SessionOver
    return found


async def _look_up_once(env: Env, token: AccessToken) -> Found | None:
    """Share one look-up, and so one connection, among all requests that need the session at the same time.

    A look-up that began before a revocation arrived must not answer a request that came after it. So only requests
    under the same generation of the revocation set share one, and none while the set is not trusted. Their tokens may
    differ in level and time: the look-up returns what belongs to the session, and `identify` adds the token's part.
    """
    revocations = env.revocations
    if not revocations.trusted(env.clock.monotonic()):
        return await _look_up(env, token)
    return await env.look_ups.result((token.session_id, revocations.generation), lambda: _look_up(env, token))


async def _look_up(env: Env, token: AccessToken) -> Found | None:
    """Read the token's session with its account; remember it if it lives. Raises `StoreUnavailable`."""
    generation = env.revocations.generation
    async with env.store.reading() as read:
        found = await read.sessions.find(token.session_id)
    if found is None:
        return None
    session, account = found
    caller = Caller(session.id, account, session.idle_expires_at, session.actor_id).of_token(token)
    # If a revocation arrived since the read, it may be of this session: remember nothing.
    fresh = env.revocations.trusted(env.clock.monotonic()) and generation == env.revocations.generation
    if fresh and why_over(env, session, account) is None:
        env.memory.keep_session(caller)
    return session, caller


def _require_live(env: Env, token: AccessToken, session: Session, account: Account) -> None:
    reason = why_over(env, session, account)
    if reason is not None:
        raise SessionOver(reason)
    if account.id != token.account_id or env.revocations.refuses(token):
        raise SessionOver


def why_over(env: Env, session: Session, account: Account) -> EndReason | None:
    """Return why a session is over; None if it lives. Where nobody may act as somebody else, no session in which an
    operator does is live: one that was begun before the setting changed ends with it.
    """
    if session.actor_id is not None and env.policy.impersonation is Impersonation.OFF:
        return EndReason.ACTING_ENDED
    return EndReason.ACCOUNT_DISABLED if account.disabled_at is not None else session.why_over(env.clock.now())


@lru_cache(maxsize=_DIGESTS_KEPT)
def _memory_key(access_token: str) -> bytes:
    """Return the digest by which `env.memory` keeps the token."""
    return hashlib.sha256(access_token.encode()).digest()
