"""Set an email: an operator gives an account another email, because its owner cannot, or typed it wrong at sign-up.

Somebody who talks an operator into this must not gain an account. So the new email counts only when its link is opened
in a browser that is signed in to the account, as if the owner had asked; the old email then gets a link that undoes it.
Only an account that nobody ever used has nothing to protect: its email is replaced at once, and still to be verified.
"""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from vestibule.crypto.entropy import new_id
from vestibule.flows.end_trust import void_links
from vestibule.flows.env import Env
from vestibule.flows.mail_link import count_link_of_operator
from vestibule.flows.require_operator import lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.clock import SMALLEST_STEP
from vestibule.model.errors import EmailTaken
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.operator_errors import AccountDisabled
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.store import Ports


class EmailOutcome(StrEnum):
    """What became of the new email. `REPLACED`: it is the account's, and a link that verifies it is mailed.
    `LINK_MAILED`: it becomes the account's with a link that is mailed to it. `UNCHANGED`: the account has it already,
    or is gone.
    """

    REPLACED = "replaced"
    LINK_MAILED = "link_mailed"
    UNCHANGED = "unchanged"


@retry_on_conflict
async def set_email(env: Env, operator: Operator, account: Account, email: str) -> EmailOutcome:
    """Give the account this canonical email: at once if nobody ever used the account, by a mailed link otherwise.

    Raises `EmailTaken`, also for an email that another account may still take back; `AccountDisabled` and
    `TooManyLinks`; `PermissionMissing` and `SessionOver`, about the operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        current = await lock_for(tx, operator, Permission.PEOPLE_CHANGE, account.id, now)
        if current is None or current.email == email:
            return EmailOutcome.UNCHANGED
        if current.disabled_at is not None:
            raise AccountDisabled
        # The smallest step later than now, so that the account counts however recently it was registered.
        unused = bool(await tx.accounts.never_used(now + SMALLEST_STEP, 1, current.id))
        await _require_free(tx, current, email, now, unused=unused)
        kind = LetterKind.VERIFY_EMAIL if unused else LetterKind.CONFIRM_NEW_EMAIL
        await count_link_of_operator(env, tx, kind, email, now)
        if unused:
            await _replace(tx, current, email, now)
        to = None if unused else email  # None: to the account's email, which is the new one already
        await tx.letters.queue(QueuedLetter(new_id(), kind, now, current.id, to, current.language))
        event = operator.event(now, EventKind.LINK_MAILED, current.id, current.email, email, letter=kind.value)
        await tx.events.record(replace(event, kind=EventKind.EMAIL_CHANGED) if unused else event)
    env.letters_waiting.set()
    return EmailOutcome.REPLACED if unused else EmailOutcome.LINK_MAILED


async def _require_free(tx: Ports, account: Account, email: str, now: datetime, *, unused: bool) -> None:
    """Raise `EmailTaken` unless the account may get the email. One that somebody else has and never verified is free
    for an account in use: opening the link shows that its owner reads the mail there, and the other one is deleted.
    """
    keeper_id = (await tx.accounts.kept([email], now)).get(email)
    holder = await tx.accounts.with_email(email)
    if keeper_id not in {None, account.id} or (holder is not None and (holder.verified or unused)):
        raise EmailTaken


async def _replace(tx: Ports, account: Account, email: str, now: datetime) -> None:
    """Replace the email, and void the links mailed to the one before. Raises `EmailTaken`."""
    if not await tx.accounts.replace_email(account.id, email, now):
        raise EmailTaken
    await void_links(tx, account.id, now)
    await tx.login_attempts.reset_all(account.id, email)
