"""Add a factor: what every kind of factor does when it is added, and the recovery codes that come with the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vestibule.flows.cancel_factor_reset import cancel_factor_reset
from vestibule.flows.end_sessions import end_other_sessions
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.know_device import delete_other_devices
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.tell_of_factor import tell_of_factor
from vestibule.flows.tell_owner import NOTICES_WITHIN, allow_notices
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import Overloaded, TooManyRequests
from vestibule.model.events import EventKind
from vestibule.model.factor_resets import CanceledBy
from vestibule.model.factors import FactorKind
from vestibule.model.letters import LetterKind
from vestibule.model.limits import Limit
from vestibule.model.recovery_codes import mint_codes
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports

_SETS_OF_CODES = Limit("recovery_codes_made", 10, timedelta(days=1))


@dataclass(frozen=True)
class NewCodes:
    """Ten new recovery codes: the texts to show, and the hashes to store."""

    texts: Sequence[str]
    hashes: Sequence[str]


@dataclass(frozen=True)
class Added:
    """What came with a new factor: recovery codes, if it is the first one; how many other sessions the account still
    has; and the revocations of the sessions that ended, to announce after the commit.
    """

    recovery_codes: Sequence[str]
    other_sessions: int
    revoked: Sequence[Revocation]


async def new_codes(env: Env, account_id: str) -> NewCodes:
    """Return ten new recovery codes with their hashes. Raises `Overloaded`, and `TooManyRequests` if the account has
    made ten sets today. Hashing ten codes is slow, so call it before the transaction, and only if they will be stored.
    """
    await _count(env, account_id)
    codes = mint_codes()
    return NewCodes([code.text for code in codes], [await env.passwords.hash(code.secret) for code in codes])


@retry_on_conflict
async def _count(env: Env, account_id: str) -> None:
    async with env.store.transaction() as tx:
        allowed = await tx.rate_counters.take(_SETS_OF_CODES, account_id, env.clock.now())
    if not allowed:
        raise TooManyRequests(_SETS_OF_CODES.within)


async def allow_new_factors(tx: Ports, account_id: str) -> None:
    """Reset today's counts of new factors and of new recovery codes, because somebody else used them up."""
    await allow_notices(tx, account_id, LetterKind.FACTOR_ADDED)
    await tx.rate_counters.clear(_SETS_OF_CODES, account_id)


async def codes_for_first(env: Env, account_id: str) -> NewCodes | None:
    """Return new recovery codes if the account has no factor yet, otherwise None. Raises what `new_codes` raises. Call
    it before the account is locked; under the lock, `codes_to_store` decides again.
    """
    async with env.store.reading() as read:
        first = not (await read.factors.of(account_id)).needed
    return await new_codes(env, account_id) if first else None


async def codes_to_store(tx: Ports, account_id: str, codes: NewCodes | None) -> NewCodes | None:
    """Return `codes`, made by `codes_for_first`, if the account still has no factor; otherwise None. Call it with the
    account locked. Raises `Overloaded` if no codes were made because the account had a factor, but has none now.
    """
    if (await tx.factors.of(account_id)).needed:
        return None
    if codes is None:
        raise Overloaded
    return codes


async def note_added(
    env: Env,
    tx: Ports,
    caller: Caller,
    kind: FactorKind,
    codes: NewCodes | None,
    client_info: ClientInfo,
    now: datetime,
    *,
    end_others: bool,
) -> Added:
    """Do what comes with a new factor of the caller: cancel a reset of factors; if the factor is the first one, store
    `codes` and delete the other known devices; tell the owner; and, if `end_others`, end the caller's other sessions.
    Return what came of it. Raises what `store_and_tell` raises. Call it inside the transaction that adds the factor.
    """
    account_id = caller.account.id
    await cancel_factor_reset(tx, account_id, CanceledBy.SESSION, client_info, now)
    await store_and_tell(tx, account_id, kind, codes, client_info, now)
    revoked = await end_others_too(env, tx, caller, now, wanted=end_others)
    others = await tx.sessions.count_live(account_id, now) - 1  # without the caller's own
    return Added(codes.texts if codes is not None else [], max(0, others), revoked)


async def end_others_too(env: Env, tx: Ports, caller: Caller, now: datetime, *, wanted: bool) -> Sequence[Revocation]:
    """End the caller's other sessions if `wanted`; return their revocations, to announce after the commit. Call it
    inside the transaction that changes a factor.
    """
    if not wanted:
        return []
    reason = EndReason.SIGNED_OUT_ELSEWHERE
    return await end_other_sessions(env, tx, caller.account.id, caller.session_id, reason, now)


async def store_and_tell(
    tx: Ports, account_id: str, kind: FactorKind, codes: NewCodes | None, client_info: ClientInfo, now: datetime
) -> None:
    """Tell the owner of a new factor. If it is the first one, store `codes`, delete all other known devices, and reset
    the counters of wrong codes, which somebody sent while there was no right one. Raises `TooManyRequests` if the owner
    has had a day's letters: each factor has a letter of its own, with the link that removes it.
    """
    if codes is not None:
        await tx.recovery_codes.replace(account_id, codes.hashes, now)
        await delete_other_devices(tx, account_id, client_info, now)
        await tx.login_attempts.reset_second_factor(account_id)
    detail = {"factor": kind.value}
    event, letter = EventKind.FACTOR_ADDED, LetterKind.FACTOR_ADDED
    if not await tell_of_factor(tx, account_id, event, letter, detail, client_info, now):
        raise TooManyRequests(NOTICES_WITHIN)
