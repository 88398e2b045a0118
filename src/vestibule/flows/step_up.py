"""Step up: prove again who is there, for a request that needs a recent sign-in (RFC 9470).

The session goes on under the same id, and its refresh counters stay as they are, so that no tab is signed out. The new
tokens say how and when the user authenticated; tokens that were issued before keep saying what they said.
"""

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.issue_tokens import Tokens, issue_tokens
from vestibule.flows.login_attempt import check_current_password
from vestibule.flows.reauthenticate import lock_unchanged
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import SessionOver
from vestibule.model.events import Event, EventKind
from vestibule.model.sessions import Session
from vestibule.protocol.authentication import Method


async def step_up(env: Env, caller: Caller, password: str, client_info: ClientInfo) -> Tokens:
    """Return new tokens of the caller's session, if the password is right. Raises `WrongPassword`, `TooManyAttempts`,
    `Overloaded`, or `SessionOver` if the session ended meanwhile.
    """
    account = await check_current_password(env, caller, password, client_info)
    session = await _note(env, account, caller.session_id, (Method.PASSWORD,), client_info)
    await env.replica.put(session, account)
    return await issue_tokens(env, session, account, session.authenticated_at)


@retry_on_conflict
async def _note(
    env: Env, account: Account, session_id: str, methods: tuple[str, ...], client_info: ClientInfo
) -> Session:
    """Return the session, now by these methods. Raises `WrongPassword` if the account changed since they were checked,
    and `SessionOver`.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_unchanged(tx, account, session_id, now)
        session = await tx.sessions.step_up(session_id, account.id, methods, env.policy.sessions, now)
        if session is None:
            raise SessionOver
        address = client_info.network_address
        await tx.events.record(Event(now, EventKind.STEPPED_UP, account.id, session_id, network_address=address))
    return session
