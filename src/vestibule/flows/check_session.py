"""Check the session of a browser without renewing it, for pages that lead either to the account or to the sign-in."""

from contextlib import suppress

from vestibule.flows.env import Env
from vestibule.flows.identify import identify, why_over
from vestibule.flows.refresh import read_refresh_token
from vestibule.model.accounts import Account
from vestibule.model.errors import AccessTokenInvalid, NotSignedIn, RefreshRefused
from vestibule.model.operator_errors import NotWhileActing


async def check_session(env: Env, access_token: str, refresh_token: str) -> Account:
    """Return the account of the browser's session, and change nothing: no token is renewed, and none is spent.

    Raises `NotWhileActing` if an operator acts as the owner in the session; `NotSignedIn` if the browser has neither a
    valid access token nor a refresh token; `SessionOver` or `RefreshRefused` if the session has ended; `RefreshRefused`
    also for an invalid refresh token; and `StoreUnavailable`.
    """
    with suppress(AccessTokenInvalid):  # expired, or missing: browsers delete an expired cookie
        caller = await identify(env, access_token)
        if caller.actor_id is not None:
            raise NotWhileActing
        return caller.account
    if not refresh_token:
        raise NotSignedIn
    return await _account_of(env, refresh_token)


async def _account_of(env: Env, refresh_token: str) -> Account:
    token = await read_refresh_token(env, refresh_token)
    async with env.store.reading() as read:
        found = await read.sessions.find(token.session_id)
    reason = why_over(env, *found) if found is not None else None
    if found is None or token.expired or reason is not None:
        raise RefreshRefused(reason)
    return found[1]
