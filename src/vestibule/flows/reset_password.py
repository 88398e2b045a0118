"""Forgotten password: ask for a link by mail, then choose a new password with it."""

from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.crypto.opaque import digest, is_secret
from vestibule.flows.end_sessions import announce, end_all_sessions, refuse_account
from vestibule.flows.env import Env
from vestibule.model.errors import ResetTokenInvalid
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.one_time_tokens import OneTimeToken, Purpose
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason
from vestibule.model.store import Transaction


async def request_reset(env: Env, address: str, network_address: str) -> None:
    """Queue the letter, if there is somebody to send it to. Never tells whether there is."""
    now = env.clock.now()
    async with env.store.transaction() as tx:
        account = await tx.accounts.at_address(address)
        if account is not None and account.disabled_at is None:
            await tx.letters.queue(QueuedLetter(new_id(), LetterKind.RESET_PASSWORD, account.id, now))
            await tx.events.record(
                Event(now, EventKind.PASSWORD_RESET_REQUESTED, account.id, network_address=network_address)
            )
    env.letters_waiting.set()


async def reset_password(env: Env, secret: str, password: str) -> None:
    """Spend the mailed token on a new password and end every session; raises `ResetTokenInvalid`."""
    if not is_secret(secret):
        raise ResetTokenInvalid
    password_hash = await env.passwords.hash(password)
    now = env.clock.now()
    revoked: list[Revocation] = []
    async with env.store.transaction() as tx:
        token = await tx.one_time_tokens.consume(digest(secret), Purpose.RESET_PASSWORD, now)
        if token is not None:
            revoked = await _take_over(env, tx, token, password_hash, now)
    if token is None:
        raise ResetTokenInvalid
    await announce(env, revoked)


async def _take_over(
    env: Env, tx: Transaction, token: OneTimeToken, password_hash: str, now: datetime
) -> list[Revocation]:
    """Who can read the mail owns the account: whatever was set or opened before ends here."""
    await tx.one_time_tokens.void(token.account_id)
    await tx.accounts.set_password(token.account_id, password_hash, now)
    await tx.accounts.verify(token.account_id, token.address, now)
    revoked = await end_all_sessions(env, tx, token.account_id, EndReason.PASSWORD_RESET, now)
    revoked += await refuse_account(env, tx, token.account_id, now)
    await tx.events.record(Event(now, EventKind.PASSWORD_RESET, token.account_id))
    return revoked
