"""A new authenticator app: its secret, and its confirmation. Until it is confirmed, it is no factor.

A session or a pending sign-in begins an app and is shown its secret. Only the one that began it, named by `begun_by`,
is shown the secret and can confirm the app. It need not guess codes, so wrong codes are not counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vestibule.crypto import totp
from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.open_totp import open_totp, require_seal
from vestibule.model.accounts import Account
from vestibule.model.factor_errors import CodeOfAnotherTime, FactorUnknown, WrongCode
from vestibule.model.store import Ports
from vestibule.model.totp import Totp, seal_secret

SHOWN_FOR = timedelta(minutes=15)
"""How long an app that was begun can be confirmed, and its secret is shown again."""


@dataclass(frozen=True)
class NewTotp:
    """What an authenticator app needs: the key, to type in, and the `otpauth://` URI, to show as a QR code."""

    key: str
    uri: str


def mint_totp(env: Env, account: Account, begun_by: str) -> Totp:
    """Return a new app of the account, which is not stored yet; raises `TotpUnavailable`."""
    totp_id = new_id()
    sealed = seal_secret(require_seal(env), totp_id, totp.mint_secret())
    # The field is called `session_id` also where a pending sign-in began the app.
    return Totp(totp_id, account.id, sealed, env.clock.now(), session_id=begun_by)


def shown(env: Env, account: Account, new: Totp) -> NewTotp:
    """Return what the app's owner is shown, the secret among it; raises `TotpUnavailable`."""
    secret = open_totp(env, new)
    return NewTotp(totp.key_of(secret), totp.uri_of(secret, env.policy.product, account.email))


async def begun(read: Ports, account_id: str, begun_by: str, now: datetime) -> Totp | None:
    """Return the app that `begun_by` began; None if there is none that can still be confirmed."""
    new = await read.totps.unconfirmed(account_id, begun_by)
    return None if new is None or now - new.created_at > SHOWN_FOR else new


def step_of_code(env: Env, new: Totp | None, code: str, now: datetime) -> int:
    """Return the time step of a code of the new app. Raises `FactorUnknown`, `TotpUnavailable`, `WrongCode`, and
    `CodeOfAnotherTime` if a clock is wrong: who types it was shown the secret.
    """
    if new is None:
        raise FactorUnknown
    secret, at = open_totp(env, new), now.timestamp()
    step = totp.step_of(code, secret, at)
    if step is None:
        told = totp.is_of_earlier_time(code, secret, at) or totp.is_of_later_time(code, secret, at)
        raise CodeOfAnotherTime if told else WrongCode
    return step


async def confirm_begun(env: Env, tx: Ports, account_id: str, begun_by: str, code: str, now: datetime) -> None:
    """Confirm the new app by one of its codes, in place of the earlier one. Call it inside a transaction, with the
    account locked. Raises what `step_of_code` raises, which undoes the transaction.
    """
    new = await begun(tx, account_id, begun_by, now)
    step = step_of_code(env, new, code, now)
    if new is None or not await tx.totps.confirm(new, step, now):
        raise WrongCode
