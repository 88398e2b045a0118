"""Enrol at sign-in: set up the second factor that an account must have, before it gets its first token (decision 0049).

The first step was right, and the sign-in waits. The browser that has its handle sets up a factor, which completes the
sign-in in the same transaction. If the account has a factor by then, that factor is asked for, and no other is added.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vestibule.flows.add_factor import new_codes, store_and_tell
from vestibule.flows.begin_session import SignedIn, Spend
from vestibule.flows.complete_sign_in import finish_sign_in, pending_sign_in
from vestibule.flows.env import Env
from vestibule.flows.new_totp import SHOWN_FOR, NewTotp, begun, confirm_begun, mint_totp, shown, step_of_code
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.second_factor import METHODS, SecondFactor
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.factor_errors import NoPendingSignIn, SecondFactorRequired
from vestibule.model.factors import FactorKind
from vestibule.model.pending_sign_ins import PendingSignIn
from vestibule.model.store import Ports
from vestibule.model.totp import Totp


@dataclass(frozen=True)
class Enrolled:
    """A sign-in that is complete because a factor was set up, and the recovery codes that came with it."""

    signed_in: SignedIn
    recovery_codes: Sequence[str]


async def enrolling_sign_in(env: Env, handle: str) -> tuple[PendingSignIn, Account]:
    """Return the sign-in that waits for a factor to be set up, with its account. Raises `NoPendingSignIn`, and
    `SecondFactorRequired` if the account has a factor by now. Spends nothing.
    """
    pending, account = await pending_sign_in(env, handle)
    async with env.store.reading() as read:
        await _require_no_factor(read, account.id)
    return pending, account


async def begin_totp_at_sign_in(env: Env, handle: str) -> NewTotp:
    """Make the secret of an authenticator app, which is no factor until it is confirmed. Raises `TotpUnavailable`, and
    what `enrolling_sign_in` raises.
    """
    pending, account = await enrolling_sign_in(env, handle)
    new = mint_totp(env, account, pending.beginner)
    await _store_unconfirmed(env, pending, new)
    return shown(env, account, new)


async def begun_totp_at_sign_in(env: Env, handle: str) -> NewTotp | None:
    """Return again what `begin_totp_at_sign_in` returned, so that a page can be reloaded; raise what it raises. Return
    None if this sign-in has begun no app, or began it too long ago.
    """
    pending, account = await enrolling_sign_in(env, handle)
    async with env.store.reading() as read:
        new = await begun(read, account.id, pending.beginner, env.clock.now())
    return None if new is None else shown(env, account, new)


async def confirm_totp_at_sign_in(env: Env, handle: str, code: str, client_info: ClientInfo) -> Enrolled:
    """Confirm the app by one of its codes, and begin the session. Raises `WrongCode`, `FactorUnknown` if this sign-in
    has begun no app, what `finish_enrolment` raises, and what `begin_totp_at_sign_in` raises.
    """
    pending, account = await enrolling_sign_in(env, handle)
    now = env.clock.now()
    async with env.store.reading() as read:
        new = await begun(read, account.id, pending.beginner, now)
    step_of_code(env, new, code, now)  # refuse before recovery codes are hashed, which is slow

    async def add(tx: Ports, now: datetime) -> None:
        await confirm_begun(env, tx, account.id, pending.beginner, code, now)

    return await finish_enrolment(env, pending, account, FactorKind.TOTP, add, METHODS, client_info)


async def finish_enrolment(
    env: Env,
    pending: PendingSignIn,
    account: Account,
    kind: FactorKind,
    add: Spend,
    methods: tuple[str, ...],
    client_info: ClientInfo,
) -> Enrolled:
    """Add the account's first factor by `add`, and begin the session of the sign-in, in one transaction. `methods` are
    those of the new factor. Raises `Overloaded`, `TooManyRequests` after a day's new factors or sets of recovery codes,
    and what `add` and `enrolling_sign_in` raise.
    """
    codes = await new_codes(env, account.id)

    async def enrol(tx: Ports, now: datetime) -> None:
        await _require_no_factor(tx, account.id)
        await add(tx, now)
        await store_and_tell(tx, account.id, kind, codes, client_info, now)

    factor = SecondFactor(enrol, (), is_new=True)
    return Enrolled(await finish_sign_in(env, pending, account, factor, methods, client_info), codes.texts)


@retry_on_conflict
async def _store_unconfirmed(env: Env, pending: PendingSignIn, new: Totp) -> None:
    async with env.store.transaction() as tx:
        await tx.accounts.lock(new.account_id)
        if await tx.pending_sign_ins.find(pending.digest, new.created_at) is None:
            raise NoPendingSignIn
        await _require_no_factor(tx, new.account_id)
        await tx.totps.add(new, new.created_at - SHOWN_FOR)


async def _require_no_factor(read: Ports, account_id: str) -> None:
    factors = await read.factors.of(account_id)
    if factors.needed:
        raise SecondFactorRequired(factors.kinds)
