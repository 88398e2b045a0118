"""Require the holder of a session: a change of how an account signs in needs the refresh token beside the access token.

Access tokens are sent to every service, and may end up in proxies and logs. Refresh tokens are sent only to Vestibule.
"""

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.refresh import read_refresh_token
from vestibule.model.errors import RefreshRefused
from vestibule.model.factor_errors import RefreshTokenRequired


async def require_holder(env: Env, caller: Caller, refresh_token: str) -> None:
    """Raise `RefreshTokenRequired` unless this is a refresh token of the caller's session that could be exchanged now.
    Raise `StoreUnavailable` if the database cannot tell. Spends nothing.
    """
    try:
        token = await read_refresh_token(env, refresh_token)
    except RefreshRefused:
        raise RefreshTokenRequired from None
    if token.expired or token.session_id != caller.session_id:
        raise RefreshTokenRequired
    async with env.store.reading() as read:
        found = await read.sessions.find(token.session_id)
    if found is None or not found[0].takes(token.counter):
        raise RefreshTokenRequired
