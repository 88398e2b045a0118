"""Step up: authenticate again in a session, for a request that needs a recent sign-in (RFC 9470).

The session keeps its id and its refresh counters, so that no tab is signed out. The new tokens have the new methods and
time of authentication; tokens that were issued before keep theirs.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vestibule.flows.cancel_factor_reset import cancel_factor_reset
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.issue_tokens import Tokens, issue_tokens
from vestibule.flows.login_attempt import check_current_password
from vestibule.flows.reauthenticate import lock_unchanged, require_enough
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.second_factor import METHODS, check_second_factor
from vestibule.flows.second_factor_rule import require_enough_proof
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import SessionOver
from vestibule.model.events import Event, EventKind
from vestibule.model.factor_resets import CanceledBy
from vestibule.model.sessions import Session
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Level, Method, level_reached


@dataclass(frozen=True)
class FreshProof:
    """By which methods (RFC 8176) the user has just authenticated. `spend` uses the proof up, inside the transaction of
    the step-up; then the attempt counters `counter_keys` are reset.
    """

    methods: tuple[str, ...]
    spend: Callable[[Ports, datetime], Awaitable[None]] | None = None
    counter_keys: Sequence[str] = ()


async def step_up_by_password(env: Env, caller: Caller, password: str, client_info: ClientInfo) -> Tokens:
    """Return new tokens of the caller's session, if the password is right. Raises `WrongPassword`, `TooManyAttempts`,
    `Overloaded`; `ReauthenticationRequired` if the account has a second factor, which it must use instead; and
    `SessionOver` if the session ended meanwhile.
    """
    account, counter_keys = await check_current_password(env, caller, password, client_info)
    proof = FreshProof((Method.PASSWORD,), counter_keys=counter_keys)
    return await complete_step_up(env, account, caller, proof, client_info)


async def step_up_by_code(env: Env, caller: Caller, code: str, client_info: ClientInfo) -> Tokens:
    """Return new tokens of the caller's session, if the code of the authenticator app, or the recovery code, is right.
    Raises `SessionOver`, and what `check_second_factor` raises.
    """
    account = await account_of(env, caller)
    factor = await check_second_factor(env, account, code, client_info, signed_in=True)
    proof = FreshProof((*methods_before(caller), *METHODS), factor.spend, factor.counter_keys)
    async with factor.spending():
        tokens = await complete_step_up(env, account, caller, proof, client_info)
    env.letters_waiting.set()
    return tokens


async def complete_step_up(
    env: Env, account: Account, caller: Caller, proof: FreshProof, client_info: ClientInfo
) -> Tokens:
    """Return new tokens of the caller's session, which has the proof's methods from now on. Raises `WrongPassword` if
    the account changed since it was read, `ReauthenticationRequired` if the proof is not enough for the account,
    `SecondFactorEnrolmentRequired`, `SessionOver`, and what `proof.spend` raises.
    """
    session = await _spend(env, account, caller.session_id, proof, client_info)
    await env.replica.put(session, account)
    return await issue_tokens(env, session, account, session.authenticated_at)


async def account_of(env: Env, caller: Caller) -> Account:
    """Return the caller's account as it is now; raises `SessionOver` if it is gone."""
    async with env.store.reading() as read:
        account = await read.accounts.get(caller.account.id)
    if account is None:
        raise SessionOver
    return account


def methods_before(caller: Caller) -> tuple[str, ...]:
    """Return the methods that a second factor adds to: the password, if the caller's session began with that."""
    return (Method.PASSWORD,) if Method.PASSWORD in caller.methods else ()


@retry_on_conflict
async def _spend(env: Env, account: Account, session_id: str, proof: FreshProof, client_info: ClientInfo) -> Session:
    """Spend the proof, and return the session with the proof's methods."""
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_unchanged(tx, account, session_id, now)
        await require_enough(env, tx, account.id, level_reached(proof.methods))
        require_enough_proof(env, account, proof.methods)
        if proof.spend is not None:
            await proof.spend(tx, now)
        if level_reached(proof.methods) >= Level.TWO_FACTORS:
            await cancel_factor_reset(tx, account.id, CanceledBy.FACTOR, client_info, now)
        session = await tx.sessions.step_up(session_id, account.id, proof.methods, env.policy.sessions, now)
        if session is None:
            raise SessionOver
        await tx.login_attempts.reset(proof.counter_keys)
        address = client_info.network_address
        await tx.events.record(Event(now, EventKind.STEPPED_UP, account.id, session_id, network_address=address))
    return session
