"""Introspect: what a token is worth at this moment, for a service that asks instead of following (RFC 7662)."""

from dataclasses import replace

from vestibule.flows.env import Env
from vestibule.flows.identify import identify, read_token
from vestibule.model.access_tokens import AccessToken
from vestibule.model.errors import AccessTokenInvalid, SessionOver


async def introspect(env: Env, access_token: str) -> AccessToken | None:
    """What the token says, if its holder is signed in; None otherwise. Raises `StoreUnavailable`."""
    try:
        caller = await identify(env, access_token)
        # The role of this moment: the token's may be older.
        return replace(await read_token(env, access_token), role=caller.account.role)
    except (AccessTokenInvalid, SessionOver):
        return None
