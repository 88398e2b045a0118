"""Unlock an account: an operator ends the pauses after too many wrong passwords or codes, or too many emails."""

from collections.abc import Sequence

from vestibule.flows.env import Env
from vestibule.flows.pauses import letter_pauses, pauses_of
from vestibule.flows.require_operator import lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.events import EventKind
from vestibule.model.operators import Operator
from vestibule.model.pauses import Pause
from vestibule.model.permissions import Permission
from vestibule.model.store import Ports


@retry_on_conflict
async def unlock_account(env: Env, operator: Operator, account: Account) -> Sequence[Pause] | None:
    """Reset every counter of wrong passwords and codes of the account, emailed codes too, and every counter that
    refuses an email to it now. Return the pauses that this ended, or None if nothing was counted. Afterwards an
    attacker with the password can guess as many codes again, so the owner should change the password first. Raises
    `PermissionMissing` and `SessionOver`, about the operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_for(tx, operator, Permission.PEOPLE_CHANGE, account.id, now)
        pauses = await pauses_of(env, tx, account)
        counters = await tx.login_attempts.reset_all(account.id, account.email)
        counters += await tx.login_attempts.reset_second_factor(account.id)
        counters += await _allow_letters(env, tx, account)
        if counters:
            paused = ", ".join(pause.of.value for pause in pauses) or "nothing"
            await tx.events.record(operator.event(now, EventKind.ACCOUNT_UNLOCKED, account.id, paused, "nothing"))
    return pauses if counters else None


async def _allow_letters(env: Env, tx: Ports, account: Account) -> int:
    """Reset the counters that refuse letters now; return their number. Always in one order, so that two that do so wait
    for each other.
    """
    refusing = [counter for _, counter in await letter_pauses(env, tx, account)]
    for counter in sorted(refusing, key=lambda each: (each.what.name, each.subject)):
        await tx.rate_counters.clear(counter.what, counter.subject)
    return len(refusing)
