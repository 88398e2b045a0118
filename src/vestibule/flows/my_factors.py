"""My factors: list the caller's second factors, remove the authenticator app, and make new recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vestibule.flows.add_factor import NewCodes, end_others_too, new_codes
from vestibule.flows.announce import announce
from vestibule.flows.cancel_factor_reset import cancel_factor_reset
from vestibule.flows.end_sessions import end_sessions_by
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.reauthenticate import lock_recent, require_recent_sign_in
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.tell_of_factor import tell_of_factor
from vestibule.model.client_info import ClientInfo
from vestibule.model.events import EventKind
from vestibule.model.factor_errors import FactorUnknown, LastFactor
from vestibule.model.factor_resets import CanceledBy, FactorReset
from vestibule.model.factors import FactorKind
from vestibule.model.letters import LetterKind
from vestibule.model.revocations import Revocation
from vestibule.model.store import Ports
from vestibule.model.totp import Totp
from vestibule.protocol.authentication import Method

_CODE_SHOWN_FOR = timedelta(seconds=30)


@dataclass(frozen=True)
class MyFactors:
    """The second factors of an account, without anything secret, and the reset of them that is under way, if any."""

    totp: Totp | None
    passkeys: int
    recovery_codes_left: int
    reset: FactorReset | None


async def list_factors(env: Env, caller: Caller) -> MyFactors:
    """Return the caller's second factors."""
    async with env.store.reading() as read:
        return await read_own_factors(read, caller.account.id)


async def read_own_factors(read: Ports, account_id: str) -> MyFactors:
    """Return the second factors of an account, as its owner may see them."""
    totp = await read.totps.confirmed(account_id)
    factors = await read.factors.of(account_id)
    reset = await read.factor_resets.of(account_id)
    return MyFactors(totp, factors.passkeys, factors.recovery_codes_left, reset)


async def has_just_used_a_code(env: Env, caller: Caller) -> bool:
    """Return whether the authenticator app may still show a code that was used, so that it would be refused."""
    async with env.store.reading() as read:
        totp = await read.totps.confirmed(caller.account.id)
    used = max(filter(None, (totp.confirmed_at, totp.last_used_at)), default=None) if totp is not None else None
    return used is not None and env.clock.now() - used < _CODE_SHOWN_FOR


async def remove_totp(env: Env, caller: Caller, client_info: ClientInfo, *, end_others: bool = False) -> None:
    """Remove the caller's authenticator app, and end the other sessions in which a code proved a second factor.
    `end_others`: end all others too. Raises `FactorUnknown` if there is none, `LastFactor`, `ReauthenticationRequired`
    and `SessionOver`.
    """
    revoked = await _remove_totp(env, caller, client_info, end_others=end_others)
    env.letters_waiting.set()
    await announce(env, revoked)


@retry_on_conflict
async def _remove_totp(env: Env, caller: Caller, client_info: ClientInfo, *, end_others: bool) -> Sequence[Revocation]:
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_recent(env, tx, caller, now)
        if not await tx.totps.remove(caller.account.id):
            raise FactorUnknown
        kind, method = FactorKind.TOTP, Method.ONE_TIME_CODE
        return await note_removed(env, tx, caller, kind, method, client_info, now, end_others=end_others)


async def note_removed(
    env: Env,
    tx: Ports,
    caller: Caller,
    kind: FactorKind,
    method: Method,
    client_info: ClientInfo,
    now: datetime,
    *,
    end_others: bool,
) -> Sequence[Revocation]:
    """Do what comes with the removal of a factor: cancel a reset of factors, tell the owner, and end the caller's other
    sessions in which a factor of this `method` was the second one; all others too, if `end_others`. If it was the last
    factor, delete the recovery codes, and lower the level of sessions to one factor. Return the revocations, to
    announce after the commit. Raises `LastFactor`, which undoes the removal, if the account must have a factor. Call it
    inside the transaction that removes the factor.
    """
    account_id = caller.account.id
    await cancel_factor_reset(tx, account_id, CanceledBy.SESSION, client_info, now)
    # First: `drop_second_factor` takes from all sessions the mark by which these are found.
    revoked = await end_sessions_by(env, tx, account_id, caller.session_id, method, now)
    if not (await tx.factors.of(account_id)).needed:
        if env.policy.second_factor.demands(caller.account.role):
            raise LastFactor
        await tx.recovery_codes.delete_of(account_id)
        if method is not Method.ONE_TIME_CODE:  # a recovery code may have begun a session
            revoked += await end_sessions_by(env, tx, account_id, caller.session_id, Method.ONE_TIME_CODE, now)
        await tx.sessions.drop_second_factor(account_id)
    detail = {"factor": kind.value}
    await tell_of_factor(tx, account_id, EventKind.FACTOR_REMOVED, LetterKind.FACTOR_REMOVED, detail, client_info, now)
    return [*revoked, *await end_others_too(env, tx, caller, now, wanted=end_others)]


async def make_recovery_codes(
    env: Env, caller: Caller, client_info: ClientInfo, *, end_others: bool = False
) -> Sequence[str]:
    """Return ten new recovery codes of the caller, in place of all earlier ones, and end the caller's other sessions in
    which a code proved a second factor. `end_others`: end all others too. Raises `FactorUnknown` if the account has no
    other factor, `Overloaded`, `TooManyRequests`, `ReauthenticationRequired` and `SessionOver`.
    """
    async with env.store.reading() as read:  # refuse before the codes are hashed, which is slow
        await require_recent_sign_in(env, read, caller, env.clock.now())
        if not (await read.factors.of(caller.account.id)).needed:
            raise FactorUnknown
    codes = await new_codes(env, caller.account.id)
    revoked = await _store_codes(env, caller, codes, client_info, end_others=end_others)
    env.letters_waiting.set()
    await announce(env, revoked)
    return codes.texts


@retry_on_conflict
async def _store_codes(
    env: Env, caller: Caller, codes: NewCodes, client_info: ClientInfo, *, end_others: bool
) -> Sequence[Revocation]:
    now, account_id = env.clock.now(), caller.account.id
    event, letter = EventKind.RECOVERY_CODES_MADE, LetterKind.RECOVERY_CODES_MADE
    async with env.store.transaction() as tx:
        await lock_recent(env, tx, caller, now)
        if not (await tx.factors.of(account_id)).needed:
            raise FactorUnknown
        await tx.recovery_codes.replace(account_id, codes.hashes, now)
        await tell_of_factor(tx, account_id, event, letter, {}, client_info, now)
        # Codes are made anew because somebody may have the earlier ones. A session does not tell which code began it.
        revoked = await end_sessions_by(env, tx, account_id, caller.session_id, Method.ONE_TIME_CODE, now)
        return [*revoked, *await end_others_too(env, tx, caller, now, wanted=end_others)]
