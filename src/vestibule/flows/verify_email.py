"""Verify an email with the mailed code.

The code proves who reads the mail, but not who typed the password. If the email was registered more than once before it
was verified, the stored password may be another person's: it is removed, and the owner chooses a new one. Nor does
the code prove who added second factors: they stay only if the link is opened in a session of the account.
"""

from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.crypto.opaque import digest, is_secret, mint_secret
from vestibule.flows.announce import record_account_changed
from vestibule.flows.ask_for_letter import going_to
from vestibule.flows.clear_factors import clear_unproven
from vestibule.flows.end_sessions import Ended, announce_end
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.take_over import verify_without_password
from vestibule.model.errors import VerificationCodeInvalid
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import REGISTERED_AGAIN, LetterKind, QueuedLetter
from vestibule.model.one_time_tokens import OneTimeToken, Purpose, issue
from vestibule.model.store import Ports


async def needs_new_password(env: Env, code: str) -> bool:
    """Return whether a new password has to be chosen, because the email of this code was registered more than once.
    Does not spend the code.
    """
    if not is_secret(code):
        return False
    async with env.store.reading() as read:
        account = await read.accounts.of_token(digest(code))
    return account is not None and account.password_in_doubt


async def verify_email(env: Env, code: str, signed_in_to: str | None = None) -> None:
    """Mark the email verified; raises `VerificationCodeInvalid`. If the password is in doubt, remove it, and mail a
    letter that says so, with a link for choosing a new one. `signed_in_to` is the id of the account that the browser
    has a session of, if any; unless it is the code's account, remove the second factors and tell the owner.
    """
    await _verify(env, code, None, signed_in_to)


async def verify_or_reset(env: Env, code: str, signed_in_to: str | None = None) -> str | None:
    """Do what `verify_email` does; but if the password was in doubt, return the secret with which a new one can be
    chosen at once, and mail no letter about it. Return None otherwise.
    """
    return await _verify(env, code, mint_secret(), signed_in_to)


@retry_on_conflict
async def _verify(env: Env, code: str, secret: str | None, signed_in_to: str | None) -> str | None:
    """Verify the email; return `secret` if the password was in doubt, else None. Raises `VerificationCodeInvalid`."""
    now = env.clock.now()
    if not is_secret(code):
        raise VerificationCodeInvalid
    doubted, ended = False, Ended()
    async with env.store.transaction() as tx:
        await tx.accounts.lock_for_token(digest(code))
        token = await tx.one_time_tokens.consume(digest(code), Purpose.VERIFY_EMAIL, now)
        account = await tx.accounts.get(token.account_id) if token is not None else None
        if token is not None and account is not None:
            doubted = account.password_in_doubt
            if doubted:
                ended = await _without_password(env, tx, token, now)
            else:
                ended = await _with_password(tx, token, now, signed_in_to)
        if token is not None and doubted:
            await _offer_reset(tx, token, secret, now)
        verified = bool(ended.revocations)  # both ways of verifying record at least one
        if account is not None and verified:
            await tx.events.record(Event(now, EventKind.EMAIL_VERIFIED, account.id))
            # Strangers may have used up the email's login attempts before it had an account.
            await tx.login_attempts.reset_all(account.id, account.email)
    if not verified:
        raise VerificationCodeInvalid
    env.letters_waiting.set()
    await announce_end(env, ended)
    return secret if doubted else None


async def _with_password(tx: Ports, token: OneTimeToken, now: datetime, signed_in_to: str | None) -> Ended:
    if not await tx.accounts.verify(token.account_id, token.email, now, token.epoch):
        return Ended()
    if signed_in_to != token.account_id:
        await clear_unproven(tx, token.account_id, now)
    return Ended(revocations=await record_account_changed(tx, token.account_id, now))


async def _without_password(env: Env, tx: Ports, token: OneTimeToken, now: datetime) -> Ended:
    _, ended = await verify_without_password(env, tx, token, now)
    return ended


async def _offer_reset(tx: Ports, spent: OneTimeToken, secret: str | None, now: datetime) -> None:
    """Let the owner choose a new password: with `secret`, store its token for use now; without, queue a letter."""
    account = await tx.accounts.get(spent.account_id)
    if account is not None and secret is not None:
        reset = issue(digest(secret), account, Purpose.RESET_PASSWORD, now, spent.return_to)
        await tx.one_time_tokens.replace(reset)
    elif account is not None:
        detail = {"why": REGISTERED_AGAIN, **going_to(spent.return_to)}
        await tx.letters.queue(QueuedLetter(new_id(), LetterKind.RESET_PASSWORD, now, account.id, detail=detail))
