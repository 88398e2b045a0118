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
    """Enable the account. Return whether it was disabled."""
    return await enable_account(env, operator, account)


async def disable(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Disable the account, with the `reason` for it. Return whether it was enabled. Raises `LastAdmin`."""
    return await disable_account(env, operator, account, fields["reason"]) is not None


async def unlock(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Reset every counter of wrong passwords and codes. Return whether anything was counted."""
    return await unlock_account(env, operator, account) is not None


async def sign_out(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """End every session of the account. Return whether a session ended."""
    return await sign_out_everywhere(env, operator, account) > 0


async def end_session(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """End the session `session_id`. Return whether it was a live session of the account."""
    return await end_session_of(env, operator, account, fields["session_id"])


async def give_role(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Give the account the `role`. Return whether it had another. Raises `LastAdmin` and `RoleNeedsVerifiedEmail`."""
    return await set_role(env, operator, account, Role(fields["role"])) is not None


async def give_roles(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Give the account these custom `roles` and no others. Return whether it had others. Raises `RoleUnknown`,
    `TooManyRolesOfAccount` and `RoleNeedsVerifiedEmail`.
    """
    return await set_custom_roles(env, operator, account, fields["roles"]) is not None


async def change_email(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Give the account the email `new_email`: at once if nobody has used the account, otherwise by a mailed link.
    Return whether it had another email. Raises `EmailTaken`, `AccountDisabled` and `TooManyLinks`.
    """
    return await set_email(env, operator, account, fields["new_email"]) is not EmailOutcome.UNCHANGED


async def invite_again(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Mail another invitation, and return True. Raises `EmailTaken` if somebody has accepted the invitation or used the
    account, and `TooManyLinks`.
    """
    await invite(env, operator, account.name, account.email)
    return True


async def reset_factors(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Begin a reset of the second factors. Return whether one has begun now; not if one was under way, or if there is
    no factor. Raises `OwnerUnreachable`.
    """
    begun = await begin_reset(env, operator, account)
    if begun in (NoReset.DISABLED, NoReset.UNVERIFIED):
        raise oe.OwnerUnreachable
    return not isinstance(begun, NoReset)


async def reset_factors_now(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Remove all second factors at once. Return whether the account had one."""
    return await reset_now(env, operator, account) is None  # otherwise it returns why nothing was removed


async def keep_factors(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Cancel the reset of the second factors. Return whether one was under way."""
    return await cancel_reset(env, operator, account)


async def send_verification(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Mail a link that verifies the email. Return False, and mail none, if the email is verified already. Raises
    `AccountDisabled` and `TooManyLinks`.
    """
    return await _mail(env, operator, account, LetterKind.VERIFY_EMAIL)


async def send_reset(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Mail a link for a new password, and return True. Raises `AccountDisabled` and `TooManyLinks`."""
    return await _mail(env, operator, account, LetterKind.RESET_PASSWORD)


async def _mail(env: Env, operator: Operator, account: Account, kind: LetterKind) -> bool:
    outcome = await mail_link(env, operator, account, kind)
    if outcome is LinkOutcome.DISABLED:
        raise oe.AccountDisabled
    if outcome is LinkOutcome.TOO_MANY:
        raise oe.TooManyLinks
    return outcome is LinkOutcome.QUEUED


async def verify(env: Env, operator: Operator, account: Account, _: Fields) -> bool:
    """Mark the email verified. Return whether it was not. Raises `PasswordInDoubt`."""
    outcome = await mark_verified(env, operator, account)
    if outcome is VerifiedOutcome.PASSWORD_IN_DOUBT:
        raise oe.PasswordInDoubt
    return outcome is VerifiedOutcome.VERIFIED


async def delete(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    """Delete the account, and return True. Raises `EmailDiffers` unless `email` is the account's, and `LastAdmin`."""
    if fields["email"].lower() != account.email:
        raise oe.EmailDiffers
    await delete_account(env, operator, account)
    return True
