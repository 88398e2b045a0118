"""Introspect: what a token is worth at this moment, for a service that asks instead of following (RFC 7662)."""

from dataclasses import replace

from vestibule.flows.env import Env
from vestibule.flows.identify import identify, read_token
from vestibule.model.errors import AccessTokenInvalid, SessionOver
from vestibule.protocol.access_tokens import AccessToken


async def introspect(env: Env, access_token: str) -> AccessToken | None:
    """Return what the token says, if its holder is signed in; None otherwise. Raises `StoreUnavailable`."""
    try:
        caller = await identify(env, access_token)
        # What is true at this moment: the token may be older.
        account, token = caller.account, await read_token(env, access_token)
        return replace(token, role=account.role, email_verified=account.verified)
    except (AccessTokenInvalid, SessionOver):
        return None
