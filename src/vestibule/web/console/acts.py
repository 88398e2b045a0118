"""What an operator can do to an account on the console: each act with its words, its permission, and its flow."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from vestibule.flows.administer import disable_account, enable_account, sign_out_everywhere
from vestibule.flows.delete_account import delete_account
from vestibule.flows.env import Env
from vestibule.flows.keep_factors import cancel_reset
from vestibule.flows.mail_link import LinkOutcome, mail_link
from vestibule.flows.mark_verified import VerifiedOutcome, mark_verified
from vestibule.flows.reset_factors import begin_reset
from vestibule.flows.unlock_account import unlock_account
from vestibule.model.accounts import Account
from vestibule.model.factor_resets import NoReset
from vestibule.model.letters import LetterKind
from vestibule.model.operators import Operator
from vestibule.model.people import Person
from vestibule.model.permissions import Permission
from vestibule.model.why_not_in import Mend


def _(english: str) -> str:
    """Return the sentence itself. `make translations` collects the sentences by this name."""
    return english


Fields = Mapping[str, str]
NOTHING = _("Nothing was changed: it was so already.")
"""The notice after an act that found nothing to do."""


class ActRefusedError(Exception):
    """The act cannot be carried out now; the argument is the sentence that says why."""


@dataclass(frozen=True)
class Act:
    """One act. `title` is on its button, `question` on the page that asks before, `done` is the notice after it.
    `field` is what the operator has to type: "reason", "email", or nothing. `run` returns whether it changed anything,
    and raises `ActRefusedError`. `offered` returns whether it can be done to this person now; `mends` names what it is
    a remedy for.
    """

    slug: str
    permission: Permission
    title: str
    question: str
    done: str
    run: Callable[[Env, Operator, Account, Fields], Awaitable[bool]]
    offered: Callable[[Person], bool]
    mends: tuple[Mend, ...] = ()
    field: str = ""
    danger: bool = False


async def _enable(env: Env, operator: Operator, account: Account, _fields: Fields) -> bool:
    return await enable_account(env, operator, account)


async def _disable(env: Env, operator: Operator, account: Account, fields: Fields) -> bool:
    return await disable_account(env, operator, account, fields["reason"].strip()) is not None


async def _unlock(env: Env, operator: Operator, account: Account, _fields: Fields) -> bool:
    return await unlock_account(env, operator, account) is not None


async def _sign_out(env: Env, operator: Operator, account: Account, _fields: Fields) -> bool:
    return await sign_out_everywhere(env, operator, account) > 0


async def _reset_factors(env: Env, operator: Operator, account: Account, _fields: Fields) -> bool:
    begun = await begin_reset(env, operator, account)
    if begun in (NoReset.DISABLED, NoReset.UNVERIFIED):
        raise ActRefusedError(
            _(
                "Its owner cannot be told by email, and so could not object: the account is disabled, or "
                "its email address not confirmed."
            )
        )
    return not isinstance(begun, NoReset)


async def _keep_factors(env: Env, operator: Operator, account: Account, _fields: Fields) -> bool:
    return await cancel_reset(env, operator, account)


async def _send_verification(env: Env, operator: Operator, account: Account, _fields: Fields) -> bool:
    return await _mail(env, operator, account, LetterKind.VERIFY_EMAIL)


async def _send_reset(env: Env, operator: Operator, account: Account, _fields: Fields) -> bool:
    return await _mail(env, operator, account, LetterKind.RESET_PASSWORD)


async def _mail(env: Env, operator: Operator, account: Account, kind: LetterKind) -> bool:
    outcome = await mail_link(env, operator, account, kind)
    if outcome is LinkOutcome.DISABLED:
        raise ActRefusedError(_("The account is disabled. Enable it first."))
    if outcome is LinkOutcome.TOO_MANY:
        raise ActRefusedError(_("This mailbox has been sent as many links as it may get in a day."))
    return outcome is LinkOutcome.QUEUED


async def _verify(env: Env, operator: Operator, account: Account, _fields: Fields) -> bool:
    outcome = await mark_verified(env, operator, account)
    if outcome is VerifiedOutcome.PASSWORD_IN_DOUBT:
        raise ActRefusedError(
            _(
                "The email address was registered more than once, so the password may be a stranger's. "
                "Send a link instead."
            )
        )
    return outcome is VerifiedOutcome.VERIFIED


async def _delete(env: Env, operator: Operator, account: Account, _fields: Fields) -> bool:
    await delete_account(env, operator, account)
    return True


ACTS = (
    Act(
        "enable",
        Permission.PEOPLE_CHANGE,
        _("Enable the account"),
        _(
            "The owner can sign in again, with the password and the second factor of before. Links that "
            "were mailed before stay void."
        ),
        _("The account is enabled."),
        _enable,
        lambda person: person.account.disabled_at is not None,
        (Mend.ENABLE,),
    ),
    Act(
        "send-verification",
        Permission.PEOPLE_LETTERS,
        _("Send a confirmation link"),
        _("An email with a link goes to the address of the account. Opening the link confirms the address."),
        _("The email with the link is on its way."),
        _send_verification,
        lambda person: not person.account.verified and person.account.disabled_at is None,
        (Mend.VERIFY, Mend.RETRY_LETTER),
    ),
    Act(
        "verify",
        Permission.PEOPLE_CHANGE,
        _("Confirm the email address"),
        _("Only if you know that the owner reads the mail there: whoever does can set a new password."),
        _("The email address is confirmed."),
        _verify,
        lambda person: not person.account.verified,
        (Mend.VERIFY, Mend.RETRY_LETTER),
    ),
    Act(
        "unlock",
        Permission.PEOPLE_CHANGE,
        _("End the pause"),
        _("Passwords and codes are checked again at once. If an attacker is guessing, the guessing goes on too."),
        _("The pause is over: passwords and codes are checked again."),
        _unlock,
        lambda person: bool(person.factors.paused),
        (Mend.UNLOCK,),
    ),
    Act(
        "reset-factors",
        Permission.PEOPLE_CHANGE,
        _("Turn off two-factor authentication"),
        _(
            "Be sure that you talk to the owner. The owner is told by email and can keep it; after 24 "
            "hours the authenticator app, passkeys and recovery codes are removed, and every device is "
            "signed out."
        ),
        _("Two-factor authentication will be turned off in 24 hours. The owner was told by email."),
        _reset_factors,
        lambda person: person.factors.needed and person.factors.reset is None,
        (Mend.RESET_FACTORS,),
    ),
    Act(
        "send-reset",
        Permission.PEOPLE_LETTERS,
        _("Send a link for a new password"),
        _("An email with a link goes to the address of the account. Whoever opens it can choose a new password."),
        _("The email with the link is on its way."),
        _send_reset,
        lambda person: person.account.disabled_at is None,
        (Mend.SEND_RESET, Mend.RETRY_LETTER),
    ),
    Act(
        "keep-factors",
        Permission.PEOPLE_CHANGE,
        _("Keep two-factor authentication"),
        _("The authenticator app, passkeys and recovery codes stay. The owner is told by email."),
        _("Two-factor authentication stays on."),
        _keep_factors,
        lambda person: person.factors.reset is not None,
    ),
    Act(
        "sign-out",
        Permission.PEOPLE_SESSIONS,
        _("Sign out everywhere"),
        _("Every device is signed out at once. The owner can sign in again."),
        _("Every device is signed out."),
        _sign_out,
        lambda person: person.live_sessions > 0,
    ),
    Act(
        "disable",
        Permission.PEOPLE_CHANGE,
        _("Disable the account"),
        _("Every device is signed out, and nobody can sign in until an administrator enables the account again."),
        _("The account is disabled."),
        _disable,
        lambda person: person.account.disabled_at is None,
        field="reason",
        danger=True,
    ),
    Act(
        "delete",
        Permission.PEOPLE_DELETE,
        _("Delete the account"),
        _("The account and everything in it is deleted permanently. Nothing brings it back."),
        _("The account is deleted."),
        _delete,
        lambda _person: True,
        field="email",
        danger=True,
    ),
)
"""Every act, in the order of the buttons."""
