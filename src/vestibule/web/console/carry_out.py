"""How each act on an account is carried out, by the console and by its API: the same flow, the same refusals."""

from collections.abc import Mapping
from typing import Any

from vestibule.flows.administer import disable_account, enable_account, end_session_of, sign_out_everywhere
from vestibule.flows.cancel_factor_reset import cancel_reset
from vestibule.flows.delete_account import delete_account
from vestibule.flows.env import Env
from vestibule.flows.invite import invite
from vestibule.flows.mail_link import LinkOutcome, mail_link
from vestibule.flows.mark_verified import VerifiedOutcome, mark_verified
from vestibule.flows.reset_factors import begin_reset, reset_now
from vestibule.flows.set_custom_roles import set_custom_roles
from vestibule.flows.set_email import EmailOutcome, set_email
from vestibule.flows.set_role import set_role
from vestibule.flows.unlock_account import unlock_account
from vestibule.model import operator_errors as oe
from vestibule.model.accounts import Account, Role
from vestibule.model.factor_resets import NoReset
from vestibule.model.letters import LetterKind
from vestibule.model.operators import Operator

Fields = Mapping[str, Any]
"""What the operator has typed or chosen, and the parameters of the path: texts, or a list of texts."""


async def enable(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Return whether the account was disabled."""
    return await enable_account(env, operator, account)


async def disable(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Return whether the account was enabled. `reason` says why it is disabled. Raises `LastAdmin`."""
    return await disable_account(env, operator, account, fields["reason"]) is not None


async def unlock(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Return whether anything was counted."""
    return await unlock_account(env, operator, account) is not None


async def sign_out(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Return whether a session ended."""
    return await sign_out_everywhere(env, operator, account) > 0


async def end_session(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Return whether `session_id` was a live session of the account."""
    return await end_session_of(env, operator, account, fields["session_id"])


async def give_role(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Return whether the account had another role than `role`. Raises `LastAdmin` and `RoleNeedsVerifiedEmail`."""
    return await set_role(env, operator, account, Role(fields["role"])) is not None


async def give_roles(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Return whether the account had other custom roles than `roles`. Raises `RoleUnknown`, `TooManyRolesOfAccount` and
    `RoleNeedsVerifiedEmail`.
    """
    return await set_custom_roles(env, operator, account, fields["roles"]) is not None


async def change_email(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Return whether the account had another email than `new_email`. Raises `EmailTaken`, `AccountDisabled` and
    `TooManyLinks`.
    """
    return await set_email(env, operator, account, fields["new_email"]) is not EmailOutcome.UNCHANGED


async def invite_again(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Return True. Raises `EmailTaken` if somebody has accepted the invitation or used the account, and
    `TooManyLinks`.
    """
    await invite(env, operator, account.name, account.email)
    return True


async def reset_factors(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Return whether a reset has begun now. Raises `OwnerUnreachable`."""
    begun = await begin_reset(env, operator, account)
    if begun in (NoReset.DISABLED, NoReset.UNVERIFIED):
        raise oe.OwnerUnreachable
    return not isinstance(begun, NoReset)


async def reset_factors_now(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Return whether the account had a second factor."""
    return await reset_now(env, operator, account) is None


async def keep_factors(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Return whether a reset was under way."""
    return await cancel_reset(env, operator, account)


async def send_verification(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Return whether the email had still to be verified. Raises `AccountDisabled` and `TooManyLinks`."""
    return await _mail(env, operator, account, LetterKind.VERIFY_EMAIL)


async def send_reset(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Return True. Raises `AccountDisabled` and `TooManyLinks`."""
    return await _mail(env, operator, account, LetterKind.RESET_PASSWORD)


async def _mail(env: Env, operator: Operator, account: Account, kind: LetterKind) -> bool:
    outcome = await mail_link(env, operator, account, kind)
    if outcome is LinkOutcome.DISABLED:
        raise oe.AccountDisabled
    if outcome is LinkOutcome.TOO_MANY:
        raise oe.TooManyLinks
    return outcome is LinkOutcome.QUEUED


async def verify(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Return whether the email had still to be verified. Raises `PasswordInDoubt`."""
    outcome = await mark_verified(env, operator, account)
    if outcome is VerifiedOutcome.PASSWORD_IN_DOUBT:
        raise oe.PasswordInDoubt
    return outcome is VerifiedOutcome.VERIFIED


async def delete(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Return True. Raises `EmailDiffers` unless `email` is the account's, and `LastAdmin`."""
    if fields["email"].lower() != account.email:
        raise oe.EmailDiffers
    await delete_account(env, operator, account)
    return True
