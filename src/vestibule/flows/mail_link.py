"""Mail a link: an operator sends the owner of an account a link that verifies the email or sets a new password."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.operator_errors import TooManyLinks
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.store import Ports


class LinkOutcome(StrEnum):
    """Whether the letter is in the outbox, or why it is not. `DISABLED`: the account is disabled or deleted."""

    QUEUED = "queued"
    ALREADY_VERIFIED = "already_verified"
    DISABLED = "disabled"
    TOO_MANY = "too_many"


@retry_on_conflict
async def mail_link(env: Env, operator: Operator, account: Account, kind: LetterKind) -> LinkOutcome:
    """Queue the letter with the link; `kind` is `VERIFY_EMAIL` or `RESET_PASSWORD`. Queue nothing, and return why, if
    the account is disabled or deleted, is verified already, or got as many links from operators today as one email may.
    Raises `PermissionMissing` and `SessionOver`, about the operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        current = await lock_for(tx, operator, Permission.PEOPLE_LETTERS, account.id, now)
        if current is None or current.disabled_at is not None:
            return LinkOutcome.DISABLED
        if kind is LetterKind.VERIFY_EMAIL and current.verified:
            return LinkOutcome.ALREADY_VERIFIED
        try:
            await count_link_of_operator(env, tx, kind, current.email, now)
        except TooManyLinks:
            return LinkOutcome.TOO_MANY
        await tx.letters.queue(QueuedLetter(new_id(), kind, now, current.id, language=current.language))
        await tx.events.record(operator.event(now, EventKind.LINK_MAILED, current.id, letter=kind.value))
    env.letters_waiting.set()
    return LinkOutcome.QUEUED


async def count_link_of_operator(env: Env, tx: Ports, kind: LetterKind, email: str, now: datetime) -> None:
    """Count one more letter of this kind that an operator has mailed to the email; raises `TooManyLinks` if operators
    had as many mailed in a day as one email may be mailed.
    """
    limit = replace(env.policy.letters.to_mailbox, name="letters_of_operators")
    if not await tx.rate_counters.take(limit, f"{kind.value}:{email}", now):
        raise TooManyLinks
