"""`vestibule users verify`, `send-verification` and `send-reset`: let somebody in who has no verified email or forgot
the password.
"""

import asyncio
from functools import partial

import typer

from vestibule.cli.accounts import AsJson, Email, tell, with_account
from vestibule.flows.env import Env
from vestibule.flows.mail_link import LinkOutcome, mail_link
from vestibule.flows.mark_verified import VerifiedOutcome, mark_verified
from vestibule.model.accounts import Account
from vestibule.model.letters import LetterKind
from vestibule.model.operators import Operator
from vestibule.process.operator_errors import OperatorError

_WHY_NOT = {
    LinkOutcome.DISABLED: "is disabled, so it is mailed no link: enable it first",
    LinkOutcome.TOO_MANY: "was mailed as many links today as one email may be mailed: wait until tomorrow",
}
_IN_DOUBT = (
    "was registered more than once before anybody verified its email, so the password may be a stranger's: mail its "
    "owner the link that asks, with `vestibule users send-verification`"
)


class NotMended(OperatorError):
    """The account is as it was. The message says why, and what to do instead."""


def verify(context: typer.Context, email: Email, as_json: AsJson = False) -> None:
    """Mark the email of an account verified, because you know who reads the mail there."""
    account, outcome = asyncio.run(with_account(context.obj, email, mark_verified))
    if outcome is VerifiedOutcome.PASSWORD_IN_DOUBT:
        raise NotMended(f"{account.email} {_IN_DOUBT}")
    as_it_was = ", as it was" if outcome is VerifiedOutcome.ALREADY else ""
    _tell(account, "verified", f"{account.email} is verified{as_it_was}.", as_json=as_json)


def send_verification(context: typer.Context, email: Email, as_json: AsJson = False) -> None:
    """Mail the owner of an account a link that verifies the email. Links mailed before stop working."""
    account, outcome = asyncio.run(with_account(context.obj, email, partial(_mail, LetterKind.VERIFY_EMAIL)))
    if outcome is LinkOutcome.ALREADY_VERIFIED:
        _tell(account, outcome.value, f"{account.email} is verified already, so nothing is mailed.", as_json=as_json)
        return
    _tell_of_link(account, outcome, as_json=as_json)


def send_reset(context: typer.Context, email: Email, as_json: AsJson = False) -> None:
    """Mail the owner of an account a link to choose a new password. Links mailed before stop working."""
    account, outcome = asyncio.run(with_account(context.obj, email, partial(_mail, LetterKind.RESET_PASSWORD)))
    _tell_of_link(account, outcome, as_json=as_json)


async def _mail(kind: LetterKind, env: Env, operator: Operator, account: Account) -> LinkOutcome:
    return await mail_link(env, operator, account, kind)


def _tell_of_link(account: Account, outcome: LinkOutcome, *, as_json: bool) -> None:
    """Print that the link is in the outbox; raises `NotMended` if it is not."""
    if outcome is not LinkOutcome.QUEUED:
        raise NotMended(f"{account.email} {_WHY_NOT[outcome]}")
    _tell(
        account,
        outcome.value,
        f"A link for {account.email} is in the outbox; a running server mails it.",
        as_json=as_json,
    )


def _tell(account: Account, outcome: str, sentence: str, *, as_json: bool) -> None:
    tell({"email": account.email, "outcome": outcome}, sentence, as_json=as_json)
