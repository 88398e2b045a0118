"""Verify an address: whoever holds the code that was mailed there can read what is mailed there."""

from vestibule.crypto.opaque import digest, is_secret
from vestibule.flows.end_sessions import announce, tell_changed
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.errors import VerificationCodeInvalid
from vestibule.model.events import Event, EventKind
from vestibule.model.one_time_tokens import Purpose
from vestibule.model.revocations import Revocation


@retry_on_conflict
async def verify_email(env: Env, code: str) -> None:
    """Mark the address proven; raises `VerificationCodeInvalid`."""
    now = env.clock.now()
    if not is_secret(code):
        raise VerificationCodeInvalid
    async with env.store.transaction() as tx:
        await tx.accounts.lock_for_token(digest(code))
        token = await tx.one_time_tokens.consume(digest(code), Purpose.VERIFY_ADDRESS, now)
        changed: list[Revocation] = []
        if token is not None and await tx.accounts.verify(token.account_id, token.address, now, token.epoch):
            changed = await tell_changed(env, tx, token.account_id, now)
            await tx.events.record(Event(now, EventKind.ADDRESS_VERIFIED, token.account_id))
    if not changed:
        raise VerificationCodeInvalid
    await announce(env, changed)
