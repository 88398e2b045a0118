"""Compose a letter: find out for whom it is, whether it is still wanted, and make its link."""

from dataclasses import replace
from datetime import datetime, timedelta

from vestibule.crypto.opaque import digest, mint_secret
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account, mailbox_of
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import NOTICES, TOKEN_IN, WORKS_FOR, Letter, LetterKind, QueuedLetter
from vestibule.model.one_time_tokens import LIFETIMES, Purpose, issue, mailed_to
from vestibule.model.store import Transaction

# Where the contract's front-ends have these pages.
_AT_FRONT_END = {
    LetterKind.VERIFY_EMAIL: "verifyemail",
    LetterKind.RESET_PASSWORD: "resetpassword",
}
# Where they have none.
_AT_VESTIBULE = {
    LetterKind.CONFIRM_NEW_EMAIL: "confirmemail",
    LetterKind.EMAIL_CHANGED: "undoemail",
}
_FORGOTTEN = "forgotpassword"
# What somebody can have sent to an email that is not theirs.
_TO_ANYBODY = {LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD, LetterKind.CONFIRM_NEW_EMAIL}
# None of these makes another needless.
_WITHOUT_A_SUCCESSOR = {LetterKind.EMAIL_CHANGED, LetterKind.EMAIL_TAKEN, *NOTICES}


@retry_on_conflict
async def compose_letter(env: Env, queued: QueuedLetter) -> Letter | None:
    """Return what is to be sent, with a link made now so that it cannot arrive dead. None if there is nothing to send:
    nobody needs the letter any more, and it is settled; or the claim is over, and it is another worker's.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        account = await _whose(tx, queued)
        if not await tx.letters.hold(queued):
            return None
        queued = _for_whom_it_is(queued, account)
        if account is None or await _needless(tx, queued, account, now):
            await tx.letters.settle(queued, now, account.id if account else None)
            return None
        if queued.kind is LetterKind.RESET_PASSWORD and queued.attempts == 1:
            await tx.events.record(_asked(queued, account))
        to = _to(queued, account)
        if await _floods(env, tx, queued, account, to, now):
            # As nobody's, so that no earlier one, which may have left, gives way to it.
            await tx.letters.settle(queued, now, None)
            return None
        link = await _link(env, tx, queued, account, to, now)
    language = account.language or queued.language or env.policy.language
    return Letter(queued.id, queued.kind, to, account.name, link, language, queued.detail, _lasts(queued), account.id)


async def _whose(tx: Transaction, queued: QueuedLetter) -> Account | None:
    """Return the account that the letter is about, locked, so that what voids a letter comes before the link is made,
    or kills it.
    """
    if queued.account_id is not None:
        return await tx.accounts.lock(queued.account_id)
    return await tx.accounts.lock_at(queued.email or "")


def _for_whom_it_is(queued: QueuedLetter, account: Account | None) -> QueuedLetter:
    """Return the letter as its reader needs it: at an email that nobody has verified, the notice that it is taken
    becomes a link that verifies it.
    """
    if queued.kind is LetterKind.EMAIL_TAKEN and account is not None and not account.verified:
        return replace(queued, kind=LetterKind.VERIFY_EMAIL)
    return queued


async def _needless(tx: Transaction, queued: QueuedLetter, account: Account, now: datetime) -> bool:
    if account.disabled_at is not None or not queued.still_wanted(account, now):
        return True
    if queued.kind in _WITHOUT_A_SUCCESSOR:
        return False
    if queued.kind is LetterKind.VERIFY_EMAIL and account.verified:
        return True
    # The link in a later letter is the one that counts; sent after it, this one would kill it.
    return await tx.letters.newer(queued, account)


async def _floods(env: Env, tx: Transaction, queued: QueuedLetter, account: Account, to: str, now: datetime) -> bool:
    """Return whether the mailbox has had enough letters to sub-addresses that nobody has verified.

    Decided here, so that no request tells. What a verified email is sent, and what the mailbox itself is sent, is
    neither counted nor held back.
    """
    mailbox = mailbox_of(to)
    verified = account.verified and to == account.email
    if mailbox is None or verified or queued.kind not in _TO_ANYBODY or queued.attempts > 1:
        return False
    return not await tx.rate_counters.take(env.policy.letters.to_mailbox, mailbox, now)


def _to(queued: QueuedLetter, account: Account) -> str:
    """Return the email that is stored, never one as somebody typed it (CVE-2019-19844)."""
    return queued.email if queued.account_id is not None and queued.email is not None else account.email


async def _link(env: Env, tx: Transaction, queued: QueuedLetter, account: Account, to: str, now: datetime) -> str:
    lasts = _lasts(queued)
    if lasts is None:
        return f"{env.policy.link_base}/{_FORGOTTEN}"
    secret, purpose = mint_secret(), TOKEN_IN[queued.kind]
    token = mailed_to(issue(digest(secret), account, purpose, now), to, queued.id)
    token = replace(token, expires_at=now + lasts)
    if purpose is Purpose.UNDO_EMAIL_CHANGE:
        token = replace(token, created_at=queued.created_at)
    await tx.one_time_tokens.replace(token)
    if queued.kind in _AT_FRONT_END:
        return f"{env.policy.link_base}/{_AT_FRONT_END[queued.kind]}/{secret}"
    return f"{env.policy.own_base}/{_AT_VESTIBULE[queued.kind]}/{secret}"


def _lasts(queued: QueuedLetter) -> timedelta | None:
    """Return how long the link works from now on; None if it has no end. A reset link works until another may be asked
    for, so that nobody is left without one.
    """
    purpose = TOKEN_IN.get(queued.kind)
    if purpose is not Purpose.RESET_PASSWORD:
        return LIFETIMES[purpose] if purpose else None
    return max(LIFETIMES[purpose], timedelta(seconds=int(queued.detail.get(WORKS_FOR, "0"))))


def _asked(queued: QueuedLetter, account: Account) -> Event:
    return Event(
        queued.created_at,
        EventKind.PASSWORD_RESET_REQUESTED,
        account.id,
        network_address=queued.detail.get("network_address"),
    )
