"""Reset password: set a new password with a mailed link."""

from datetime import datetime

from vestibule.crypto.opaque import digest
from vestibule.flows.ask_for_letter import allow_reset_at_once
from vestibule.flows.change_password import tell_changed_password
from vestibule.flows.check_link import link_works
from vestibule.flows.clear_factors import clear_factors
from vestibule.flows.end_sessions import Ended, announce_end
from vestibule.flows.end_trust import end_trust
from vestibule.flows.env import Env
from vestibule.flows.know_device import know_only_this_device
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.client_info import ClientInfo
from vestibule.model.devices import DeviceSecret
from vestibule.model.errors import ResetTokenInvalid
from vestibule.model.events import Event, EventKind
from vestibule.model.one_time_tokens import OneTimeToken, Purpose
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports


async def reset_password(env: Env, secret: str, password: str, client_info: ClientInfo) -> DeviceSecret | None:
    """Spend the mailed token, set the new password, and end every session. Make this browser the only known device, and
    return its secret; if the account has a second factor, which the browser has not proved, there is no known device:
    return None. Raises `ResetTokenInvalid`, `Overloaded`, and `PasswordTooEasy`; only a success spends the token.
    """
    if not await link_works(env, secret, Purpose.RESET_PASSWORD):
        raise ResetTokenInvalid  # before the password is hashed, which is slow
    password_hash = await env.passwords.hash(password)
    device, ended = await _spend(env, secret, password, password_hash, client_info)
    env.letters_waiting.set()
    await announce_end(env, ended)
    return device


@retry_on_conflict
async def _spend(
    env: Env, secret: str, password: str, password_hash: str, client_info: ClientInfo
) -> tuple[DeviceSecret | None, Ended]:
    now = env.clock.now()
    ended = Ended()
    async with env.store.transaction() as tx:
        await tx.accounts.lock_for_token(digest(secret))
        token = await tx.one_time_tokens.consume(digest(secret), Purpose.RESET_PASSWORD, now)
        if token is not None:
            # Raised inside the transaction, so that a refused password does not spend the token.
            env.policy.passwords.require_hard_to_guess(password, token.email)
            ended = await _replace_password(env, tx, token, password_hash, now)
            await tell_changed_password(tx, token.account_id, client_info, now)
            needs_more = (await tx.factors.of(token.account_id)).needed
            device = None if needs_more else await know_only_this_device(tx, token.account_id, now)
            await tx.login_attempts.reset_all(token.account_id, token.email)
            await allow_reset_at_once(env, tx, token.email)
    if token is None:
        raise ResetTokenInvalid
    return device, ended


async def _replace_password(env: Env, tx: Ports, token: OneTimeToken, password_hash: str, now: datetime) -> Ended:
    """Set the password, verify the email, and end sessions, links and known devices, which may all be an attacker's.
    Return what ended. Second factors stay, unless the email was unverified: then somebody else may have added them.
    """
    account = await tx.accounts.get(token.account_id)
    if account is not None and not account.verified:
        await clear_factors(tx, token.account_id)
    await tx.accounts.set_password(token.account_id, password_hash, now)
    await tx.accounts.verify(token.account_id, token.email, now)
    ended = await end_trust(env, tx, token.account_id, EndReason.PASSWORD_RESET, now)
    await tx.events.record(Event(now, EventKind.PASSWORD_RESET, token.account_id))
    return ended
