"""Unlock an account: an operator ends the pauses after too many wrong passwords or codes."""

from collections.abc import Sequence

from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.events import EventKind
from vestibule.model.factor_attempts import RECOVERY_CODE_LIMITS, SECOND_FACTOR_LIMITS, counters_of_second_factor
from vestibule.model.login_attempts import AttemptCounter, LoginAttemptLimits
from vestibule.model.operators import Operator
from vestibule.model.pauses import AttemptKind, Pause
from vestibule.model.permissions import Permission
from vestibule.model.store import Ports


async def pauses_of(env: Env, read: Ports, account: Account) -> Sequence[Pause]:
    """Return what is paused for an account now, without emailed codes: their pause ends by itself within a day."""
    now, pauses = env.clock.now(), []
    for of, (counter, limits) in _counters(env, account).items():
        count = await read.login_attempts.count(counter)
        if count is None or not limits.paused_after(count.failures):
            continue
        wait = count.wait(limits, now)
        if wait is None or wait:
            pauses.append(Pause(of, None if wait is None else now + wait))
    return pauses


@retry_on_conflict
async def unlock_account(env: Env, operator: Operator, account: Account) -> Sequence[Pause] | None:
    """Reset every counter of wrong passwords and codes of the account, emailed codes too. Return the pauses that this
    ended, or None if nothing was counted. Afterwards an attacker with the password can guess as many codes again, so
    the owner should change the password first. Raises `PermissionMissing` and `SessionOver`, about the operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_for(tx, operator, Permission.PEOPLE_CHANGE, account.id, now)
        pauses = await pauses_of(env, tx, account)
        counters = await tx.login_attempts.reset_all(account.id, account.email)
        counters += await tx.login_attempts.reset_second_factor(account.id)
        if counters:
            paused = ", ".join(pause.of.value for pause in pauses) or "nothing"
            await tx.events.record(operator.event(now, EventKind.ACCOUNT_UNLOCKED, account.id, paused, "nothing"))
    return pauses if counters else None


def _counters(env: Env, account: Account) -> dict[AttemptKind, tuple[AttemptCounter, LoginAttemptLimits]]:
    """Return the counters that all unknown devices share, with their limits. A known device that has used up its own
    counter falls back to these.
    """
    password = AttemptCounter.of_others(account, account.email)
    (code,) = counters_of_second_factor(account, None, SECOND_FACTOR_LIMITS)
    (recovery_code,) = counters_of_second_factor(account, None, RECOVERY_CODE_LIMITS)
    return {
        AttemptKind.PASSWORD: (password, env.policy.login_attempts),
        AttemptKind.CODE: (code, SECOND_FACTOR_LIMITS),
        AttemptKind.RECOVERY_CODE: (recovery_code, RECOVERY_CODE_LIMITS),
    }
