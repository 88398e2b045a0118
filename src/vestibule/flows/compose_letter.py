"""Compose a letter: find its account, check that the letter is still wanted, and make its link or code."""

from dataclasses import replace
from datetime import datetime, timedelta

from vestibule.crypto.opaque import digest, mint_secret
from vestibule.flows.email_code_handle import digest_of_code
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account, mailbox_of
from vestibule.model.email_codes import HANDLE, OF_ACCOUNT, in_groups, mint_code
from vestibule.model.events import Event, EventKind
from vestibule.model.factor_resets import TOLD_WITHIN
from vestibule.model.letters import (
    DUE_AT,
    NOTICES,
    RETURN_TO,
    TOKEN_PURPOSES,
    WORKS_FOR,
    Letter,
    LetterKind,
    QueuedLetter,
)
from vestibule.model.one_time_tokens import (
    LIFETIMES,
    MOST_NEW_FACTORS,
    UNDOING,
    OneTimeToken,
    Purpose,
    issue,
    mailed_to,
)
from vestibule.model.store import Ports

# Paths of pages that front-ends have (docs/contract-differences.md).
_FRONT_END_PATHS = {
    LetterKind.VERIFY_EMAIL: "verifyemail",
    LetterKind.RESET_PASSWORD: "resetpassword",
}
# Paths of pages that Vestibule itself has, because front-ends have none.
_OWN_PATHS = {
    LetterKind.CONFIRM_NEW_EMAIL: "confirmemail",
    LetterKind.EMAIL_CHANGED: "undoemail",
    LetterKind.FACTOR_ADDED: "removefactor",
    LetterKind.FACTORS_LOST: "resetfactors",
    LetterKind.FACTOR_RESET_BEGUN: "keepfactors",
    LetterKind.INVITATION: "invitation",
}
_FORGOT_PASSWORD_PATH = "forgotpassword"
_AFTER_A_LATE_LETTER = timedelta(days=1)
# Letters that a stranger can have sent to somebody else's email.
_TO_ANYBODY = {LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD, LetterKind.CONFIRM_NEW_EMAIL}
_ONLY_TO_UNVERIFIED = {LetterKind.VERIFY_EMAIL, LetterKind.INVITATION}
_ONLY_TO_VERIFIED = {LetterKind.EMAIL_TAKEN, LetterKind.SIGN_IN_CODE}
# A later letter of these kinds does not replace an earlier one. A code belongs to the browser that asked for it.
_NEVER_REPLACED = {LetterKind.EMAIL_CHANGED, LetterKind.EMAIL_TAKEN, LetterKind.SIGN_IN_CODE, *NOTICES}
# Letters that are recorded as events of their account.
_REQUESTED = {
    LetterKind.RESET_PASSWORD: EventKind.PASSWORD_RESET_REQUESTED,
    LetterKind.SIGN_IN_CODE: EventKind.EMAIL_CODE_REQUESTED,
}


@retry_on_conflict
async def compose_letter(env: Env, queued: QueuedLetter) -> Letter | None:
    """Return the letter to send. Its link is made now, so that it cannot have expired on arrival. Return None if
    another worker has claimed the letter; or if it is not to be sent, and then settle it.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        account = await _lock_account(tx, queued)
        if not await tx.letters.lock(queued):
            return None
        queued = await _with_restarted_wait(tx, _with_fitting_kind(queued, account), now)
        if account is None or await _needless(tx, queued, account, now):
            await tx.letters.settle(queued, now, account.id if account else None, sent=False)
            return None
        if queued.kind in _REQUESTED and queued.attempts == 1:
            await tx.events.record(_requested(queued, account))
        to = _recipient(queued, account)
        if not await _count_to_mailbox(env, tx, queued, account, to, now):
            # Settle it without its account: with it, this letter would count as newer than an earlier one of the same
            # kind (`Letters.newer`), whose link must go on working.
            await tx.letters.settle(queued, now, None, sent=False)
            return None
        link, code = await _secrets(env, tx, queued, account, to, now)
    language = account.language or queued.language or env.policy.language
    lifetime = _link_lifetime(queued, now)
    return Letter(queued.id, queued.kind, to, account.name, link, language, queued.detail, lifetime, account.id, code)


async def _lock_account(tx: Ports, queued: QueuedLetter) -> Account | None:
    """Lock the account that the letter is about and return it. Flows that void links lock it too, so they end before
    this link is made, or find it and void it.
    """
    if queued.account_id is not None:
        return await tx.accounts.lock(queued.account_id)
    return await tx.accounts.lock_at(queued.email or "")


def _with_fitting_kind(queued: QueuedLetter, account: Account | None) -> QueuedLetter:
    """Return the letter with the kind that fits its account: if the account is unverified, a letter with a code, or a
    notice that the email is taken, becomes one with a link that verifies the email. A stranger may have registered the
    email, and a code would sign its owner in to the stranger's account; the page behind the link asks first.
    """
    if account is not None and not account.verified and queued.kind in _ONLY_TO_VERIFIED:
        return replace(queued, kind=LetterKind.VERIFY_EMAIL)
    return queued


async def _with_restarted_wait(tx: Ports, queued: QueuedLetter, now: datetime) -> QueuedLetter:
    """If this letter tells of a reset of factors, and is sent late, let the reset's wait begin now."""
    if queued.kind is not LetterKind.FACTOR_RESET_BEGUN or now <= queued.created_at + TOLD_WITHIN:
        return queued
    reset = await tx.factor_resets.of(queued.account_id or "")
    if reset is None:
        return queued
    reset = reset.from_now(now)
    await tx.factor_resets.begin_anew(reset)
    return replace(queued, detail={**queued.detail, DUE_AT: reset.due_at.isoformat(timespec="seconds")})


async def _needless(tx: Ports, queued: QueuedLetter, account: Account, now: datetime) -> bool:
    """Return whether the letter must not be sent: nobody wants it any more, or a newer one replaces it."""
    if account.disabled_at is not None or not queued.still_wanted(account, now):
        return True
    if queued.kind in _NEVER_REPLACED:
        return False
    if queued.kind in _ONLY_TO_UNVERIFIED and account.verified:
        return True
    if queued.kind is LetterKind.FACTOR_RESET_BEGUN and await tx.factor_resets.of(account.id) is None:
        return True
    # The link in the newest letter must stay valid. An older letter that is sent after it would void that link.
    return await tx.letters.newer(queued, account)


async def _count_to_mailbox(
    env: Env, tx: Ports, queued: QueuedLetter, account: Account, to: str, now: datetime
) -> bool:
    """Count one more letter to an unverified sub-address of a mailbox (`mailbox_of`); return False if it is one too
    many. Letters to a verified email, and to the mailbox itself, are not limited.

    Counted here because a count during the request would tell whether there is an account.
    """
    mailbox = mailbox_of(to)
    verified = account.verified and to == account.email
    if mailbox is None or verified or queued.kind not in _TO_ANYBODY or queued.attempts > 1:
        return True
    return await tx.rate_counters.take(env.policy.letters.to_mailbox, mailbox, now)


def _recipient(queued: QueuedLetter, account: Account) -> str:
    """Return the email that the letter goes to: its own if it names its account too, otherwise the account's, as it is
    stored, not as somebody typed it (CVE-2019-19844).
    """
    return queued.email if queued.account_id is not None and queued.email is not None else account.email


async def _secrets(
    env: Env, tx: Ports, queued: QueuedLetter, account: Account, to: str, now: datetime
) -> tuple[str, str]:
    """Return the link and the code of the letter: one of them is empty."""
    if queued.kind is LetterKind.SIGN_IN_CODE:
        return "", await _code(env, tx, queued, account, now)
    return await _link(env, tx, queued, account, to, now), ""


async def _code(env: Env, tx: Ports, queued: QueuedLetter, account: Account, now: datetime) -> str:
    """Return the code of the letter. Store its token first, beside those for other browsers."""
    code = mint_code()
    code_digest = digest_of_code(env, queued.detail.get(HANDLE, ""), code)
    token = mailed_to(issue(code_digest, account, Purpose.SIGN_IN_CODE, now), account.email, queued.id)
    ends_at = queued.created_at + LIFETIMES[Purpose.SIGN_IN_CODE]
    await tx.one_time_tokens.add_beside(replace(token, expires_at=ends_at), OF_ACCOUNT)
    return in_groups(code)


async def _link(env: Env, tx: Ports, queued: QueuedLetter, account: Account, to: str, now: datetime) -> str:
    """Return the link of the letter. Unless it leads to the page for a forgotten password, store its token first."""
    lifetime = _link_lifetime(queued, now)
    if lifetime is None:
        return f"{env.policy.link_base}/{_FORGOT_PASSWORD_PATH}"
    secret, purpose = mint_secret(), TOKEN_PURPOSES[queued.kind]
    token = mailed_to(issue(digest(secret), account, purpose, now, queued.detail.get(RETURN_TO)), to, queued.id)
    token = replace(token, expires_at=now + lifetime)
    if purpose in UNDOING:
        token = replace(token, created_at=queued.created_at)
    await _store(tx, token)
    if queued.kind in _FRONT_END_PATHS:
        return f"{env.policy.link_base}/{_FRONT_END_PATHS[queued.kind]}/{secret}"
    return f"{env.policy.own_base}/{_OWN_PATHS[queued.kind]}/{secret}"


async def _store(tx: Ports, token: OneTimeToken) -> None:
    """Store the token of a link, in place of earlier ones. The link of each new factor stays valid beside the others:
    an attacker who adds another one must not void it.
    """
    if token.purpose is Purpose.REMOVE_NEW_FACTOR:
        await tx.one_time_tokens.add_beside(token, MOST_NEW_FACTORS)
    else:
        await tx.one_time_tokens.replace(token)


def _link_lifetime(queued: QueuedLetter, now: datetime) -> timedelta | None:
    """Return how long the link works from now on; None if it carries no token, and so never expires. A password reset
    link works at least until another may be asked for, so that nobody is left without one. A link that cancels a reset
    of factors works until the reset is due, and some time longer, because the reset may be carried out late. A link
    that removes a new factor works for three days from when that was added, or for a day if its letter was late.
    """
    purpose = TOKEN_PURPOSES.get(queued.kind)
    if purpose is Purpose.REMOVE_NEW_FACTOR:
        return max(queued.created_at + LIFETIMES[purpose] - now, _AFTER_A_LATE_LETTER)
    if purpose is Purpose.KEEP_FACTORS:
        return max(datetime.fromisoformat(queued.detail[DUE_AT]) - now, timedelta()) + LIFETIMES[purpose]
    if purpose is not Purpose.RESET_PASSWORD:
        return LIFETIMES[purpose] if purpose else None
    return max(LIFETIMES[purpose], timedelta(seconds=int(queued.detail.get(WORKS_FOR, "0"))))


def _requested(queued: QueuedLetter, account: Account) -> Event:
    return Event(
        queued.created_at,
        _REQUESTED[queued.kind],
        account.id,
        network_address=queued.detail.get("network_address"),
    )
