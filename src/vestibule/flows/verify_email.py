"""Verify an email: a person who holds the code that was mailed there can read what is mailed there.

A click proves the mailbox, not the password that somebody typed. Where the email was registered more than once before
anybody verified it, no password stands afterwards that another may have typed.
"""

from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.crypto.opaque import digest, is_secret, mint_secret
from vestibule.flows.end_sessions import Ended, announce_end, tell_changed
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.take_over import leave_no_password
from vestibule.model.accounts import Account
from vestibule.model.errors import VerificationCodeInvalid
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import REGISTERED_AGAIN, LetterKind, QueuedLetter
from vestibule.model.one_time_tokens import OneTimeToken, Purpose, issue
from vestibule.model.store import Transaction


async def asks_for_password(env: Env, code: str) -> bool:
    """Return whether the email of this code was registered more than once, and a password is to be chosen. Spends
    nothing.
    """
    if not is_secret(code):
        return False
    async with env.store.reading() as read:
        account = await read.accounts.of_token(digest(code))
    return account is not None and account.password_in_doubt


async def verify_email(env: Env, code: str) -> None:
    """Mark the email verified; raises `VerificationCodeInvalid`. A password in doubt is removed, and a letter says so
    and brings a link to a new one.
    """
    await _verify(env, code, None)


async def verify_or_lead_on(env: Env, code: str) -> str | None:
    """Mark the email verified; raises `VerificationCodeInvalid`. If its password was in doubt, that is removed, and no
    letter is sent: return the secret with which a new one is chosen now; None otherwise.
    """
    return await _verify(env, code, mint_secret())


@retry_on_conflict
async def _verify(env: Env, code: str, secret: str | None) -> str | None:
    """Verify the email; return `secret` if its password was in doubt, None otherwise. Raises
    `VerificationCodeInvalid`.
    """
    now = env.clock.now()
    if not is_secret(code):
        raise VerificationCodeInvalid
    doubted, changed = False, Ended()
    async with env.store.transaction() as tx:
        await tx.accounts.lock_for_token(digest(code))
        token = await tx.one_time_tokens.consume(digest(code), Purpose.VERIFY_EMAIL, now)
        account = await tx.accounts.get(token.account_id) if token is not None else None
        if token is not None and account is not None:
            doubted = account.password_in_doubt
            changed = await (_without_password(env, tx, token, now) if doubted else _as_it_is(tx, token, now))
        if account is not None and doubted:
            await _lead_to_password(tx, account, secret, now)
        if account is not None and changed.revocations:
            await tx.events.record(Event(now, EventKind.EMAIL_VERIFIED, account.id))
            # Strangers may have spent the counter of an email before anybody had it.
            await tx.login_attempts.forgive_all(account.id, account.email)
    if not changed.revocations:
        raise VerificationCodeInvalid
    env.letters_waiting.set()
    await announce_end(env, changed)
    return secret if doubted else None


async def _as_it_is(tx: Transaction, token: OneTimeToken, now: datetime) -> Ended:
    if not await tx.accounts.verify(token.account_id, token.email, now, token.epoch):
        return Ended()
    return Ended(revocations=await tell_changed(tx, token.account_id, now))


async def _without_password(env: Env, tx: Transaction, token: OneTimeToken, now: datetime) -> Ended:
    return (await leave_no_password(env, tx, token, now))[1]


async def _lead_to_password(tx: Transaction, before: Account, secret: str | None, now: datetime) -> None:
    """Lead to a new password: by a token if there is a `secret`, for somebody who can choose one now, else by
    letter.
    """
    account = await tx.accounts.get(before.id)
    if account is not None and secret is not None:
        await tx.one_time_tokens.replace(issue(digest(secret), account, Purpose.RESET_PASSWORD, now))
    elif account is not None:
        why = {"why": REGISTERED_AGAIN}
        await tx.letters.queue(QueuedLetter(new_id(), LetterKind.RESET_PASSWORD, now, account.id, detail=why))
