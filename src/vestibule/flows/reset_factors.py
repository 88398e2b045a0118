"""Reset factors: remove all second factors of somebody who lost them, after a wait in which the owner can cancel it.

An operator begins a reset here; owners do in `report_lost_factors`. When the wait is over, the next sign-in or the
periodic cleaning carries it out. Either begins by deleting the reset's row, so that of two servers only one removes the
factors. An operator who knows that a factor is a thief's removes all at once: during a wait, the thief could cancel the
reset.
"""

from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.flows.clear_factors import clear_factors
from vestibule.flows.end_sessions import Ended, announce_end, end_account
from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.tell_of_factor import tell_of_factor
from vestibule.model.accounts import Account
from vestibule.model.events import Event, EventKind
from vestibule.model.factor_resets import OPERATOR_WAIT, AskedBy, CanceledBy, FactorReset, NoReset
from vestibule.model.letters import DUE_AT, LetterKind, QueuedLetter
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports

_AT_ONCE = 500  # resets that one cleaning carries out


@retry_on_conflict
async def begin_reset(env: Env, operator: Operator, account: Account) -> FactorReset | NoReset:
    """Begin a reset of the account's factors for an operator, and tell the owner. Return it, or why none can begin.
    Raises `PermissionMissing` and `SessionOver`, about the operator.
    """
    now = env.clock.now()
    reset = FactorReset(account.id, now, now + OPERATOR_WAIT, AskedBy.OPERATOR)
    async with env.store.transaction() as tx:
        current = await lock_for(tx, operator, Permission.PEOPLE_CHANGE, account.id, now)
        refused = await _why_not(tx, current)
        if refused is None and not await note_begun(tx, account, reset, operator):
            refused = NoReset.UNDER_WAY
    env.letters_waiting.set()
    return refused or reset


async def _why_not(tx: Ports, account: Account | None) -> NoReset | None:
    """Return why no reset can begin: there is nothing to reset, or no owner who could be told; None if it can."""
    if account is None or not (await tx.factors.of(account.id)).needed:
        return NoReset.NO_FACTOR
    if account.disabled_at is not None:
        return NoReset.DISABLED
    return None if account.verified else NoReset.UNVERIFIED


async def note_begun(tx: Ports, account: Account, reset: FactorReset, operator: Operator | None = None) -> bool:
    """Begin the reset, and mail the owner a link that cancels it. Return False, and change nothing, if one is under way
    already. Call it with the account locked. `operator` is the one who asked; None if the owner did.
    """
    if not await tx.factor_resets.begin(reset):
        return False
    detail = {DUE_AT: reset.due_at.isoformat(timespec="seconds"), "asked_by": reset.asked_by.value}
    await tx.events.record(_begun(account, reset, detail, operator))
    letter = LetterKind.FACTOR_RESET_BEGUN
    await tx.letters.queue(
        QueuedLetter(new_id(), letter, reset.asked_at, account.id, account.email, account.language, detail)
    )
    return True


def _begun(account: Account, reset: FactorReset, detail: dict[str, str], operator: Operator | None) -> Event:
    if operator is None:
        return Event(reset.asked_at, EventKind.FACTOR_RESET_BEGUN, account.id, detail=detail)
    return operator.event(reset.asked_at, EventKind.FACTOR_RESET_BEGUN, account.id, **detail)


async def reset_now(env: Env, operator: Operator, account: Account) -> NoReset | None:
    """Remove all second factors of the account at once, for an operator who knows that one is a thief's. Return
    `NO_FACTOR` if there is none, otherwise None. End what `finish_reset` ends, and a reset that is under way. A
    disabled or unverified account is not mailed. Raises `PermissionMissing` and `SessionOver`, about the operator.
    """
    ended = await _reset_now(env, operator, account.id)
    env.letters_waiting.set()
    if ended is None:
        return NoReset.NO_FACTOR
    await announce_end(env, ended)
    return None


@retry_on_conflict
async def _reset_now(env: Env, operator: Operator, account_id: str) -> Ended | None:
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_for(tx, operator, Permission.PEOPLE_CHANGE, account_id, now)
        if not (await tx.factors.of(account_id)).needed:
            return None
        return await _remove_all(env, tx, account_id, operator, now)


async def finish_reset(env: Env, account_id: str) -> bool:
    """Carry out the account's reset, if it is due: remove all factors, end every session and pending sign-in, delete
    the known devices, and tell the owner. Return whether the account has no second factor now.
    """
    no_factor, ended = await _finish(env, account_id)
    env.letters_waiting.set()
    await announce_end(env, ended)
    return no_factor


@retry_on_conflict
async def _finish(env: Env, account_id: str) -> tuple[bool, Ended]:
    now, ended = env.clock.now(), Ended()
    async with env.store.transaction() as tx:
        await tx.accounts.lock(account_id)
        if await tx.factor_resets.finish(account_id, now):
            ended = await _remove_all(env, tx, account_id, None, now)
        no_factor = not (await tx.factors.of(account_id)).needed
    return no_factor, ended


async def _remove_all(env: Env, tx: Ports, account_id: str, operator: Operator | None, now: datetime) -> Ended:
    """Remove all factors of the account, end its sessions and pending sign-ins, delete its known devices, and tell the
    owner. Return what ended. Call it with the account locked.
    """
    ended = await end_account(env, tx, account_id, EndReason.FACTORS_RESET, now)
    event, letter = EventKind.FACTORS_RESET, LetterKind.FACTORS_RESET
    detail = {"by": CanceledBy.OPERATOR.value} if operator else {}
    await tell_of_factor(tx, account_id, event, letter, detail, operator, now)
    await tx.known_devices.delete_of(account_id)
    await tx.pending_sign_ins.delete_of(account_id)
    await clear_factors(tx, account_id)
    return ended


async def finish_due_resets(env: Env) -> int:
    """Carry out resets that are due, at most 500, each in its own transaction; return how many were due. Several
    servers may call it at the same time.
    """
    async with env.store.reading() as read:
        due = await read.factor_resets.due(env.clock.now(), _AT_ONCE)
    for account_id in due:
        await finish_reset(env, account_id)
    return len(due)
