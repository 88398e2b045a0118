"""Mark an account's email verified, because an operator knows that its owner reads the mail there."""

from enum import StrEnum

from vestibule.flows.announce import record_account_changed
from vestibule.flows.clear_factors import clear_unproven
from vestibule.flows.end_sessions import Ended, announce_end
from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.events import EventKind
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission


class VerifiedOutcome(StrEnum):
    """The email is verified now, or was already, or why it is not. `PASSWORD_IN_DOUBT`: the email was registered more
    than once, so the password may be a stranger's.
    """

    VERIFIED = "verified"
    ALREADY = "already"
    PASSWORD_IN_DOUBT = "password_in_doubt"


@retry_on_conflict
async def mark_verified(env: Env, operator: Operator, account: Account) -> VerifiedOutcome:
    """Mark the account's email verified, unless its password is in doubt: only the page behind the mailed link asks the
    owner whose password it is. Remove second factors that were added before, as that page does. Raises
    `PermissionMissing` and `SessionOver`, about the operator.
    """
    now, ended = env.clock.now(), Ended()
    async with env.store.transaction() as tx:
        current = await lock_for(tx, operator, Permission.PEOPLE_CHANGE, account.id, now)
        if current is not None and current.password_in_doubt:
            return VerifiedOutcome.PASSWORD_IN_DOUBT
        if current is None or current.verified or not await tx.accounts.verify(current.id, current.email, now):
            return VerifiedOutcome.ALREADY
        await clear_unproven(tx, current.id, now)
        # No session ends. The record that the account changed is announced in the same way.
        ended = Ended(revocations=await record_account_changed(tx, current.id, now))
        await tx.login_attempts.reset_all(current.id, current.email)  # as `verify_email` does
        await tx.events.record(operator.event(now, EventKind.EMAIL_VERIFIED, current.id, "not verified", "verified"))
    env.letters_waiting.set()
    await announce_end(env, ended)
    return VerifiedOutcome.VERIFIED
