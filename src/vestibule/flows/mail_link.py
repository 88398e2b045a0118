"""Mail a link: an operator sends the owner of an account a link that verifies the email or sets a new password."""

from dataclasses import replace
from enum import StrEnum

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission


class LinkOutcome(StrEnum):
    """The letter is in the outbox, or why it is not."""

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
    now, limit = env.clock.now(), replace(env.policy.letters.to_mailbox, name="letters_of_operators")
    async with env.store.transaction() as tx:
        current = await lock_for(tx, operator, Permission.PEOPLE_LETTERS, account.id, now)
        if current is None or current.disabled_at is not None:
            return LinkOutcome.DISABLED
        if kind is LetterKind.VERIFY_EMAIL and current.verified:
            return LinkOutcome.ALREADY_VERIFIED
        if not await tx.rate_counters.take(limit, f"{kind.value}:{current.email}", now):
            return LinkOutcome.TOO_MANY
        await tx.letters.queue(QueuedLetter(new_id(), kind, now, current.id, language=current.language))
        await tx.events.record(operator.event(now, EventKind.LINK_MAILED, current.id, letter=kind.value))
    env.letters_waiting.set()
    return LinkOutcome.QUEUED
