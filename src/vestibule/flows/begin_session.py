"""Begin a session: the last step of every sign-in. If the account needs a second step, or must set up a second factor
first (decision 0049), the sign-in waits for it.

Whether it waits is decided with the account locked. If somebody adds a factor at the same time, either the session
comes first, and is counted among the other sessions that the owner is told of; or the factor comes first, and the
sign-in waits.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.crypto.opaque import digest, mint_secret
from vestibule.flows.announce import announce
from vestibule.flows.cancel_factor_reset import cancel_factor_reset
from vestibule.flows.end_sessions import end_longest_unseen, end_session
from vestibule.flows.env import Env
from vestibule.flows.issue_tokens import Tokens, issue_tokens
from vestibule.flows.know_device import know_device, place_of
from vestibule.flows.reset_factors import finish_reset
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.devices import DeviceSecret
from vestibule.model.errors import WrongCredentials
from vestibule.model.events import Event, EventKind
from vestibule.model.factor_resets import CanceledBy
from vestibule.model.factors import AccountFactors, FactorKind
from vestibule.model.pending_sign_ins import LIFETIME, PendingSignIn, origin_of
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason, Session, begin
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Level, Method, level_reached

Spend = Callable[[Ports, datetime], Awaitable[None]]
"""Spends what a proof can be used for only once, such as a code, inside the transaction that the proof allows. Raises a
refusal if it is spent already.
"""


@dataclass(frozen=True)
class Proof:
    """By which methods (RFC 8176) somebody has authenticated. When the sign-in is complete, the attempt counters
    `counter_keys` are reset, and `held_session`, the session that the browser had before, ends if it is the account's.
    `adds_factor`: `spend` adds a second factor to the account.
    """

    methods: tuple[str, ...] = (Method.PASSWORD,)
    counter_keys: Sequence[str] = ()
    held_session: str | None = None
    spend: Spend | None = None
    adds_factor: bool = False


BY_PASSWORD = Proof()


@dataclass(frozen=True)
class SignedIn:
    """The outcome of a complete sign-in. `device` is the secret that makes the browser a known device."""

    account: Account
    session: Session
    tokens: Tokens
    device: DeviceSecret


@dataclass(frozen=True)
class SecondFactorNeeded:
    """The outcome of a sign-in that waits for a second step, by one of `kinds`. Only the browser keeps `handle`."""

    handle: str
    kinds: tuple[FactorKind, ...]


@dataclass(frozen=True)
class EnrolmentNeeded:
    """The outcome of a sign-in that waits until the account, which must have a second factor, has one. Only the browser
    keeps `handle`.
    """

    handle: str


class _Incomplete(Exception):
    """The account needs a second step, by one of `kinds`; without any, it must set up a second factor. Raised to roll
    the transaction back.
    """

    def __init__(self, factors: AccountFactors) -> None:
        super().__init__()
        self.factors = factors


async def begin_session(
    env: Env, account: Account, client_info: ClientInfo, proof: Proof = BY_PASSWORD
) -> SignedIn | SecondFactorNeeded | EnrolmentNeeded:
    """Begin a session of an account, and issue its tokens; or let the sign-in wait, if the proof has no second factor
    and the account has one, or must have one. Raises `WrongCredentials` if the account changed since it was read, and
    what `proof.spend` raises.
    """
    try:
        session, device = await _open_session(env, account, client_info, proof)
    except _Incomplete as incomplete:
        if incomplete.factors.reset_is_due(env.clock.now()) and await finish_reset(env, account.id):
            return await begin_session(env, account, client_info, proof)
        handle, kinds = await _wait(env, account, client_info, proof), incomplete.factors.kinds
        return SecondFactorNeeded(handle, kinds) if kinds else EnrolmentNeeded(handle)
    await env.replica.put(session, account)
    return SignedIn(account, session, await issue_tokens(env, session, account, session.created_at), device)


@retry_on_conflict
async def _open_session(
    env: Env, account: Account, client_info: ClientInfo, proof: Proof
) -> tuple[Session, DeviceSecret]:
    """Open the session and end the one that the browser held before. Return the new session with the device's secret.
    Raises `WrongCredentials` if the account changed since it was read, and `_Incomplete`.
    """
    now = env.clock.now()
    session = begin(new_id(), account.id, client_info.device, env.policy.sessions, now, proof.methods)
    revoked: list[Revocation] = []
    async with env.store.transaction() as tx:
        if proof.adds_factor:  # of two concurrent sign-ins, the second one must see the factor that the first one adds
            await tx.accounts.lock(account.id)
        # The proof was checked before this transaction. If the epoch changed since, `note_use` and `open` do nothing.
        if not account.verified and account.first_used_at is None:
            await tx.accounts.note_use(account.id, account.epoch, now)
        opened = await tx.sessions.open(session, account.epoch)
        if opened:
            reset_canceled = await _require_complete(env, tx, account, proof, client_info, now)
            if proof.held_session is not None:
                revoked = await end_session(env, tx, proof.held_session, account.id, EndReason.SIGNED_OUT, now)
            # `opened` is the number of the account's sessions, with the new one. Of the sessions in `revoked`, only the
            # held one was counted there: in the others, the account's owner acted as somebody else.
            revoked += await end_longest_unseen(env, tx, session, opened - bool(revoked), now)
            await tx.events.record(
                Event(now, EventKind.SIGNED_IN, account.id, session.id, network_address=client_info.network_address)
            )
            device, new = await know_device(tx, account, client_info, now)
            await tx.login_attempts.reset(proof.counter_keys)
    if not opened:
        raise WrongCredentials
    if new or reset_canceled:
        env.letters_waiting.set()
    await announce(env, revoked)
    return session, device


async def _require_complete(
    env: Env, tx: Ports, account: Account, proof: Proof, client_info: ClientInfo, now: datetime
) -> bool:
    """Raise `_Incomplete` if the account has or must have a second factor and the proof has none; otherwise spend the
    proof. A proof by a second factor cancels a reset of factors; return whether a reset was canceled. Call it after the
    session was opened, because that locks the account.
    """
    by_factor = level_reached(proof.methods) >= Level.TWO_FACTORS
    if not by_factor:
        factors = await tx.factors.of(account.id)
        if factors.needed or env.policy.second_factor.demands(account.role):
            raise _Incomplete(factors)
    if proof.spend is not None:
        await proof.spend(tx, now)
    return by_factor and await cancel_factor_reset(tx, account.id, CanceledBy.FACTOR, client_info, now)


@retry_on_conflict
async def _wait(env: Env, account: Account, client_info: ClientInfo, proof: Proof) -> str:
    """Spend the proof, and store a pending sign-in; return its secret handle. Raises `WrongCredentials` if the account
    changed since it was read, and what `proof.spend` raises.
    """
    now, handle = env.clock.now(), mint_secret()
    async with env.store.transaction() as tx:
        origin = origin_of(await place_of(tx, account, client_info), client_info.network_address)
        pending = PendingSignIn(
            digest(handle),
            account.id,
            account.epoch,
            proof.methods,
            tuple(proof.counter_keys),
            now,
            now + LIFETIME,
            proof.held_session,
            origin=origin,
        )
        added = await tx.pending_sign_ins.add(pending)
        if added and proof.spend is not None:
            await proof.spend(tx, now)
    if not added:
        raise WrongCredentials
    return handle
