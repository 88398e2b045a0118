"""The pages of the links that confirm a change of email, or undo it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.change_email import confirm_change, email_of_link, undo_change
from vestibule.flows.check_link import link_works
from vestibule.flows.identify import Caller
from vestibule.model.errors import EmailChangeInvalid, EmailChangeOfAnother
from vestibule.model.one_time_tokens import UNDO_POSSIBLE_FOR, Purpose
from vestibule.translations.marking import _
from vestibule.web.caller import EnvDep
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import render, return_to, sent_letter
from vestibule.web.pages.browser_session import BrowserCaller, OptionalBrowserCaller, SessionForm
from vestibule.web.pages.dead_link import dead_link_page
from vestibule.web.pages.link_action import to_sign_in
from vestibule.web.pages.route import CHECK_EMAIL_AT, see_other

_CONFIRM_TITLE = _("Confirm your new email address")
_CONFIRM_QUESTION = _(
    "You will be signed out everywhere. Any unconfirmed account with the new address will be deleted. If you did not "
    "ask for this, close this page."
)
_CONFIRM_BUTTON = _("Use this email address")
_NOT_THIS_ACCOUNT = _("This link is for another account")
_WHICH_ACCOUNT = _(
    "You are signed in as %(email)s, but another account asked for this change. If that account is yours "
    "too, sign out and open this link again. If you did not ask for this, close this page: nothing has "
    "changed."
)
_UNDO_TITLE = _("Take your account back")
_UNDO_QUESTION = _(
    "Your account gets this email address back, all devices are signed out and the password is removed. So are the"
    " authenticator app, passkeys and recovery codes that were added since the change, or in the %(days)s days before"
    " it. If you never had an account with this address, close this page."
)
_UNDO_BUTTON = _("Take my account back")


async def ask_confirm(request: Request, env: EnvDep, caller: OptionalBrowserCaller, token: str) -> Response:
    """Ask the owner, signed in, for the click that changes the account's email. Ask a browser without a session to sign
    in; tell a user of another account so. Neither is told the new email.
    """
    await return_to.adopt_link_target(request, env, token, Purpose.CHANGE_EMAIL)
    if not await link_works(env, token, Purpose.CHANGE_EMAIL):
        return dead_link_page(request, Purpose.CHANGE_EMAIL)
    if caller is None:
        return render.page(request, "sign_in_first.html", title=render.say(request, _CONFIRM_TITLE))
    try:
        new = await email_of_link(env, caller, token)
    except EmailChangeInvalid:
        return dead_link_page(request, Purpose.CHANGE_EMAIL)
    except EmailChangeOfAnother:
        return _other_account_page(request, caller)
    return _ask(request, _CONFIRM_TITLE, _CONFIRM_QUESTION, _CONFIRM_BUTTON, new)


async def confirm(request: Request, env: EnvDep, caller: BrowserCaller, _form: SessionForm, token: str) -> Response:
    """Change the account's email to the one that the link was mailed to."""
    await return_to.adopt_link_target(request, env, token, Purpose.CHANGE_EMAIL)
    try:
        await confirm_change(env, caller, token)
    except EmailChangeInvalid:
        return dead_link_page(request, Purpose.CHANGE_EMAIL)
    except EmailChangeOfAnother:
        return _other_account_page(request, caller)
    undo_link_mailed = caller.account.verified  # `confirm_change` mails the old email only if it was verified
    return to_sign_in(request, "email_changed_told" if undo_link_mailed else "email_changed")


async def ask_undo(request: Request, env: EnvDep, token: str) -> Response:
    """Ask for the click that takes an account back."""
    if not await link_works(env, token, Purpose.UNDO_EMAIL_CHANGE):
        return dead_link_page(request, Purpose.UNDO_EMAIL_CHANGE)
    return _ask(request, _UNDO_TITLE, _UNDO_QUESTION, _UNDO_BUTTON, days=UNDO_POSSIBLE_FOR.days)


async def undo(request: Request, env: EnvDep, token: str) -> Response:
    """Give the account its old email back, and go to the page that says where the link for a new password was sent and
    which factors were removed.
    """
    try:
        undone = await undo_change(env, token)
    except EmailChangeInvalid:
        return dead_link_page(request, Purpose.UNDO_EMAIL_CHANGE)
    about = sent_letter.TAKEN_BACK
    response = see_other(return_to.with_query(CHECK_EMAIL_AT, about=about, removed=" ".join(undone.removed)))
    sent_letter.remember(request, response, about, undone.email)
    return response


def _ask(request: Request, title: str, question: str, button: str, new_email: str = "", **values: int) -> Response:
    texts = {"title": title, "question": question, "button": button}
    said: dict[str, Any] = {name: render.say(request, text, **values) for name, text in texts.items()}
    # `otherwise` is the text above a second button, which these pages do not have.
    return render.page(request, "ask.html", **said, otherwise="", new_email=new_email)


def _other_account_page(request: Request, caller: Caller) -> Response:
    status = HTTP_MAPPINGS[EmailChangeOfAnother].status
    title = render.say(request, _NOT_THIS_ACCOUNT)
    message = render.say(request, _WHICH_ACCOUNT, email=caller.account.email)
    return render.page(request, "told.html", status, title=title, message=message)
