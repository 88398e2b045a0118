"""The page of a mailed link that no longer works: why, and the way to what the person needs now.

The page is the same for a link that was used, has expired, was replaced or was made up, and for everybody who opens it,
even if the working link would ask for a sign-in. So a stranger with the secret learns only that it opens nothing.
In a browser with a live session, the page leads to the account instead of the sign-in.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from vestibule.model.accounts import Account
from vestibule.model.errors import (
    EmailChangeInvalid,
    InvitationInvalid,
    Refusal,
    ResetTokenInvalid,
    VerificationCodeInvalid,
)
from vestibule.model.factor_errors import FactorResetLinkInvalid
from vestibule.model.one_time_tokens import Purpose
from vestibule.translations.marking import _
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import render
from vestibule.web.request_context import context_of

_TITLE = _("This link no longer works")
_CONFIRMED_TITLE = _("Your email address is confirmed")
_CONFIRMED = _("You are signed in as %(email)s, which is confirmed. This link no longer works.")


@dataclass(frozen=True)
class _DeadLink:
    """What the page of a dead link says. `refusal` is what the flow raises. `why_in_session`, if given, replaces `why`
    for a browser that has a session. `another` and `in_account` are the page where another link is asked for;
    `in_account` needs a sign-in. `another_button` is what the button says that leads to `another`. `names_support`:
    `why` says to ask the people who run the service.
    """

    refusal: type[Refusal]
    why: str
    why_in_session: str = ""
    another: str = ""
    another_button: str = _("Send me another link")
    in_account: str = ""
    names_support: bool = False


_REQUEST_ANOTHER = _("It was already used, has expired or was replaced by a newer one. Request another link.")
_DEAD_LINKS = {
    Purpose.VERIFY_EMAIL: _DeadLink(
        VerificationCodeInvalid,
        _(
            "It was already used, has expired or was replaced by a newer one. If you have confirmed your email"
            " address already, sign in. If not, request another link."
        ),
        _(
            "It was already used, has expired or was replaced by a newer one. Your profile shows whether your email"
            " address is confirmed. If it is not, request another link."
        ),
        another="/verifyemail",
    ),
    Purpose.RESET_PASSWORD: _DeadLink(ResetTokenInvalid, _REQUEST_ANOTHER, another="/forgotpassword"),
    Purpose.INVITATION: _DeadLink(
        InvitationInvalid,
        _(
            "It was already used, has expired or was replaced by a newer one. If you have chosen a password, sign in."
            " If not, ask for another invitation."
        ),
    ),
    Purpose.CHANGE_EMAIL: _DeadLink(
        EmailChangeInvalid,
        _(
            "It was already used, has expired or was replaced by a newer one. Sign in to see which email address your"
            " account has. If it is still the old one, request another link."
        ),
        _(
            "It was already used, has expired or was replaced by a newer one. If your account still has the old email"
            " address, request another link."
        ),
        in_account="/profile/security/email",
    ),
    Purpose.UNDO_EMAIL_CHANGE: _DeadLink(
        EmailChangeInvalid,
        _(
            "It was already used, has expired or was replaced by a newer one. If you cannot sign in to your account any"
            " more, contact the people who run this service."
        ),
        names_support=True,
    ),
    Purpose.RESET_FACTORS: _DeadLink(
        FactorResetLinkInvalid,
        _("It was already used, has expired or was replaced by a newer one. Sign in to request another link."),
    ),
    Purpose.REMOVE_NEW_FACTOR: _DeadLink(
        FactorResetLinkInvalid,
        _(
            "It was already used, has expired, or what it removes was removed already. If you did not add it, choose a"
            " new password."
        ),
        another="/forgotpassword",
        another_button=_("Choose a new password"),
    ),
    Purpose.KEEP_FACTORS: _DeadLink(
        FactorResetLinkInvalid,
        _("It was already used or has expired. Sign in to see whether your account has two-factor authentication."),
        _(
            "It was already used or has expired. The security page shows whether your account has two-factor"
            " authentication."
        ),
    ),
}


def dead_link_page(request: Request, purpose: Purpose) -> Response:
    """Return the page for a link that its flow refuses."""
    dead, account = _DEAD_LINKS[purpose], context_of(request).session_account
    if purpose is Purpose.VERIFY_EMAIL and account is not None and account.verified:
        return _confirmed_page(request, account)
    in_session = render.has_session(request)
    why = dead.why_in_session if in_session and dead.why_in_session else dead.why
    return render.page(
        request,
        "dead_link.html",
        HTTP_MAPPINGS[dead.refusal].status,
        title=render.say(request, _TITLE),
        message=render.say(request, why),
        another=dead.another,
        another_button=render.say(request, dead.another_button),
        in_account=dead.in_account,
        names_support=dead.names_support,
    )


def _confirmed_page(request: Request, account: Account) -> Response:
    """Return the page for somebody whose account has nothing left to verify."""
    return render.page(
        request,
        "dead_link.html",
        HTTP_MAPPINGS[VerificationCodeInvalid].status,
        title=render.say(request, _CONFIRMED_TITLE),
        message=render.say(request, _CONFIRMED, email=account.email),
        another="",
        in_account="",
        names_support=False,
    )
