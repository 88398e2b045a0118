"""Take over: give an account to the person who reads its mail, although somebody else may have registered it."""

from datetime import datetime

from vestibule.crypto.opaque import digest, is_secret, mint_secret
from vestibule.flows.clear_factors import clear_factors
from vestibule.flows.end_sessions import Ended, announce_end
from vestibule.flows.end_trust import end_trust
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.errors import VerificationCodeInvalid
from vestibule.model.events import Event, EventKind
from vestibule.model.one_time_tokens import OneTimeToken, Purpose, issue
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports


@retry_on_conflict
async def take_over(env: Env, code: str) -> str:
    """Spend a mailed code: verify the email, remove the password and second factors, end every session and void every
    other mailed link. Return the secret with which a new password is chosen; raises `VerificationCodeInvalid`.
    """
    if not is_secret(code):
        raise VerificationCodeInvalid
    now, secret = env.clock.now(), mint_secret()
    ended = Ended()
    async with env.store.transaction() as tx:
        await tx.accounts.lock_for_token(digest(code))
        token = await tx.one_time_tokens.consume(digest(code), Purpose.VERIFY_EMAIL, now)
        taken = None
        if token is not None:
            taken, ended = await verify_without_password(env, tx, token, now)
        if taken is not None:
            reset = issue(digest(secret), taken, Purpose.RESET_PASSWORD, now, token.return_to if token else None)
            await tx.one_time_tokens.replace(reset)
            await tx.events.record(Event(now, EventKind.EMAIL_VERIFIED, taken.id))
    if taken is None:
        raise VerificationCodeInvalid
    await announce_end(env, ended)
    return secret


async def verify_without_password(
    env: Env, tx: Ports, token: OneTimeToken, now: datetime
) -> tuple[Account | None, Ended]:
    """Verify the email that the token was mailed to. Remove the password, second factors, sessions, known devices and
    other links. Return the changed account, or None if it is gone, and what ended.
    """
    taken = await tx.accounts.reassign_to_email(token.account_id, token.email, now)
    if taken is None:
        return None, Ended()
    ended = await end_trust(env, tx, taken.id, EndReason.PASSWORD_RESET, now)
    await clear_factors(tx, taken.id)
    return taken, ended
