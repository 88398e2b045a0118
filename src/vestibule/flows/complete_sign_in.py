"""Complete a sign-in: take the second step in the browser where the password was typed."""

from dataclasses import dataclass
from datetime import datetime

from vestibule.crypto.opaque import digest, is_secret
from vestibule.flows.begin_session import Proof, SignedIn, Spend, begin_session
from vestibule.flows.env import Env
from vestibule.flows.second_factor import METHODS, SecondFactor, check_second_factor
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import WrongCredentials
from vestibule.model.factor_errors import NoPendingSignIn
from vestibule.model.factors import FactorKind
from vestibule.model.pending_sign_ins import PendingSignIn
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Method


@dataclass(frozen=True)
class WaitingSignIn:
    """A sign-in that waits for its second step: the account's email, and the kinds of factors that complete it."""

    email: str
    kinds: tuple[FactorKind, ...]


async def waiting_sign_in(env: Env, handle: str) -> WaitingSignIn:
    """Return the sign-in that `complete_sign_in` would complete; raises `NoPendingSignIn`. Spends nothing."""
    _, account = await pending_sign_in(env, handle)
    async with env.store.reading() as read:
        factors = await read.factors.of(account.id)
    if not factors.kinds:  # the account's factors are gone, so the password is enough now
        raise NoPendingSignIn
    return WaitingSignIn(account.email, factors.kinds)


async def complete_sign_in(env: Env, handle: str, code: str, client_info: ClientInfo) -> SignedIn:
    """Begin the session of a pending sign-in whose second factor is this code. `handle` is the secret in the browser's
    cookie.

    Raises `NoPendingSignIn` if the handle is unknown, used, or more than ten minutes old, or if the account changed
    since; otherwise what `check_second_factor` raises.
    """
    pending, account = await pending_sign_in(env, handle)
    factor = await check_second_factor(env, account, code, client_info)
    async with factor.spending():
        return await finish_sign_in(env, pending, account, factor, METHODS, client_info)


def must_verify_user(pending: PendingSignIn) -> bool:
    """Return whether a passkey completes this sign-in only if the authenticator verified its user. True after a mailed
    code: a mailbox and a key that was only touched are two possessions, and prove nothing that their owner knows.
    """
    return Method.PASSWORD not in pending.methods


async def finish_sign_in(
    env: Env,
    pending: PendingSignIn,
    account: Account,
    factor: SecondFactor,
    methods: tuple[str, ...],
    client_info: ClientInfo,
) -> SignedIn:
    """Begin the session of a pending sign-in whose second factor was right; `methods` are those of the factor. Raises
    `NoPendingSignIn`, and what `factor.spend` raises.
    """
    proof = Proof(
        tuple(dict.fromkeys((*pending.methods, *methods))),
        (*pending.counter_keys, *factor.counter_keys),
        pending.held_session,
        _spend_both(pending, factor),
        adds_factor=factor.is_new,
    )
    try:
        outcome = await begin_session(env, account, client_info, proof)
    except WrongCredentials:  # the account changed meanwhile
        raise NoPendingSignIn from None
    if not isinstance(outcome, SignedIn):  # never, because the proof has two factors
        raise NoPendingSignIn
    env.letters_waiting.set()  # the factor may have caused a letter
    return outcome


async def pending_sign_in(env: Env, handle: str) -> tuple[PendingSignIn, Account]:
    """Return the sign-in of this handle, which waits for its second step, with its account; raises `NoPendingSignIn`.
    Spends nothing.
    """
    if not is_secret(handle):
        raise NoPendingSignIn
    async with env.store.reading() as read:
        pending = await read.pending_sign_ins.find(digest(handle), env.clock.now())
        account = await read.accounts.get(pending.account_id) if pending is not None else None
    if pending is None or account is None:
        raise NoPendingSignIn
    return pending, account


def _spend_both(pending: PendingSignIn, factor: SecondFactor) -> Spend:
    """Return the step that spends the pending sign-in and the factor: both or neither."""

    async def spend(tx: Ports, now: datetime) -> None:
        if not await tx.pending_sign_ins.consume(pending.digest, now):
            raise NoPendingSignIn
        await factor.spend(tx, now)

    return spend
