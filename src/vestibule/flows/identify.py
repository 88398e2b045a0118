"""Identify: who holds this access token, if its session still lives."""

from dataclasses import dataclass

from vestibule.flows.env import Env
from vestibule.model import access_tokens
from vestibule.model.accounts import Account
from vestibule.model.errors import SessionOver


@dataclass(frozen=True)
class Caller:
    """Somebody who is signed in, and by which session."""

    account: Account
    session_id: str


async def identify(env: Env, access_token: str) -> Caller:
    """Raises `AccessTokenInvalid` for what is no good token, `SessionOver` for one whose session has ended."""
    now = env.clock.now()
    token = access_tokens.read(access_token, env.policy.issuer, env.keys.access, now)
    async with env.store.reading() as read:
        found = await read.sessions.find(token.session_id)
    if found is None:
        raise SessionOver
    session, account = found
    if not session.live(now) or account.id != token.account_id or account.disabled_at is not None:
        raise SessionOver
    return Caller(account, session.id)
