"""Introspect: tell a service whether a token is valid now (RFC 7662). For services that do not follow the feed."""

from dataclasses import replace

from vestibule.flows.env import Env
from vestibule.flows.identify import identify, read_token
from vestibule.model.errors import AccessTokenInvalid, SessionOver
from vestibule.protocol.access_tokens import AccessToken


async def introspect(env: Env, access_token: str) -> AccessToken | None:
    """Return the token's claims, with the account's current roles and verification, if its session is live; None
    otherwise. Raises `StoreUnavailable`.
    """
    try:
        caller = await identify(env, access_token)
        # Roles and verification may have changed since the token was issued.
        account, token = caller.account, await read_token(env, access_token)
        return replace(token, role=account.role, roles=account.roles, email_verified=account.verified)
    except (AccessTokenInvalid, SessionOver):
        return None
