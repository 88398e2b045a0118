"""The pages that mailed links open.

Programs that scan emails open links too, so a GET never uses up a link: the page asks for a click, which sends a POST.
A link that is dead says so at once. Only who has the mailed secret can ask, and the POST would say the same.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.change_email import confirm_change, email_of_link, undo_change
from vestibule.flows.check_link import link_works
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.reset_password import reset_password
from vestibule.flows.take_over import take_over as take_over_flow
from vestibule.flows.verify_email import needs_new_password, verify_or_reset
from vestibule.model.errors import (
    EmailChangeInvalid,
    EmailChangeOfAnother,
    PasswordTooEasy,
    ResetTokenInvalid,
    VerificationCodeInvalid,
)
from vestibule.model.one_time_tokens import OneTimeToken, Purpose
from vestibule.web.api import bodies
from vestibule.web.caller import ClientInfoDep, EnvDep, keep_device
from vestibule.web.errors import HTTP_MAPPINGS, BodyInvalid
from vestibule.web.pages import render, return_to, sent_letter
from vestibule.web.pages.browser_session import BrowserCaller, OptionalBrowserCaller, SessionForm
from vestibule.web.pages.dead_link import dead_link_page
from vestibule.web.pages.form import read_form, validated
from vestibule.web.pages.route import CHECK_EMAIL_AT, SIGN_IN, see_other
from vestibule.web.pages.words import TOO_EASY, Sentence, _, faults_of
from vestibule.web.site import site_of


@dataclass(frozen=True)
class _LinkAction:
    """What a link does: the texts of its page, the purpose of its token, the flow after the click, and what the next
    page says.
    """

    title: str
    question: str
    button: str
    purpose: Purpose
    flow: Callable[[Env, str], Awaitable[str | None]]
    notice: str


_VERIFY = _LinkAction(
    _("Confirm your email address"),
    _("Click the button to confirm that %(email)s is your email address."),
    _("Confirm my email address"),
    Purpose.VERIFY_EMAIL,
    verify_or_reset,
    "verified",
)
_VERIFY_WITH_PASSWORD = replace(
    _VERIFY,
    title=_("Confirm your email address and choose a password"),
    question=_(
        "This email address was used to sign up more than once, with different passwords. Choose a new one that "
        "nobody else knows. It replaces the others and signs out all devices."
    ),
    button=_("Choose my own password"),
)
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
_UNDO = _LinkAction(
    _("Take your account back"),
    _(
        "Your account gets this email address back, all devices are signed out and the password is removed. If you "
        "never had an account with this address, close this page."
    ),
    _("Take my account back"),
    Purpose.UNDO_EMAIL_CHANGE,
    undo_change,
    "taken_back",
)

_NOT_MINE = _("Didn't create this account? Choose a password of your own. This signs out the person who created it.")
_MAKE_MINE = _("Choose my own password")

# What "Check your email" says of the email with the link.
_ABOUT = {Purpose.VERIFY_EMAIL: "verify", Purpose.RESET_PASSWORD: "reset"}


async def ask_verify(request: Request, env: EnvDep, code: str) -> Response:
    """Ask for the click that verifies an email, and offer to take over an account that somebody else made with it. If
    it was registered more than once, say so, and ask for a new password.
    """
    link = await return_to.open_link(request, env, code, Purpose.VERIFY_EMAIL)
    if link is None or not await link_works(env, code, Purpose.VERIFY_EMAIL):
        return dead_link_page(request, Purpose.VERIFY_EMAIL)
    if await needs_new_password(env, code):
        return _ask_page(request, _VERIFY_WITH_PASSWORD)
    return _ask_page(request, _VERIFY, _NOT_MINE, _MAKE_MINE, email=link.email)


async def verify(request: Request, env: EnvDep, code: str) -> Response:
    """Verify the email that the link was mailed to."""
    return await _run_link_action(request, env, _VERIFY, code)


async def take_over(request: Request, env: EnvDep, code: str) -> Response:
    """Verify the email, end the account's password and sessions, and ask for a new password."""
    await return_to.open_link(request, env, code, Purpose.VERIFY_EMAIL)
    try:
        secret = await take_over_flow(env, code)
    except VerificationCodeInvalid:
        return dead_link_page(request, Purpose.VERIFY_EMAIL)
    return see_other(f"/resetpassword/{secret}")


async def ask_confirm(request: Request, env: EnvDep, caller: OptionalBrowserCaller, token: str) -> Response:
    """Ask the account's signed-in owner for the click that changes its email. Everybody else is asked to sign in, and
    is not told the new email.
    """
    await return_to.open_link(request, env, token, Purpose.CHANGE_EMAIL)
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
    texts = {"title": _CONFIRM_TITLE, "question": _CONFIRM_QUESTION, "button": _CONFIRM_BUTTON}
    said: dict[str, Any] = {name: render.say(request, text) for name, text in texts.items()}
    return render.page(request, "ask.html", **said, otherwise="", new_email=new)


async def confirm(request: Request, env: EnvDep, caller: BrowserCaller, _form: SessionForm, token: str) -> Response:
    """Change the account's email to the one that the link was mailed to."""
    await return_to.open_link(request, env, token, Purpose.CHANGE_EMAIL)
    try:
        await confirm_change(env, caller, token)
    except EmailChangeInvalid:
        return dead_link_page(request, Purpose.CHANGE_EMAIL)
    except EmailChangeOfAnother:
        return _other_account_page(request, caller)
    told = caller.account.verified  # the flow mails the old email only if it was verified
    return _to_sign_in(request, "email_changed_told" if told else "email_changed")


async def ask_undo(request: Request, env: EnvDep, token: str) -> Response:
    """Ask for the click that takes an account back."""
    if not await link_works(env, token, Purpose.UNDO_EMAIL_CHANGE):
        return dead_link_page(request, Purpose.UNDO_EMAIL_CHANGE)
    return _ask_page(request, _UNDO)


async def undo(request: Request, env: EnvDep, token: str) -> Response:
    """Give the account its old email back."""
    return await _run_link_action(request, env, _UNDO, token)


async def ask_reset(request: Request, env: EnvDep, token: str) -> Response:
    """Ask for a new password."""
    await return_to.open_link(request, env, token, Purpose.RESET_PASSWORD)
    if not await link_works(env, token, Purpose.RESET_PASSWORD):
        return dead_link_page(request, Purpose.RESET_PASSWORD)
    return new_password_form(request)


async def reset(request: Request, env: EnvDep, token: str, client_info: ClientInfoDep) -> Response:
    """Set a new password with the mailed token."""
    link = await return_to.open_link(request, env, token, Purpose.RESET_PASSWORD)
    fields = await read_form(request)
    try:
        sent = validated(request, bodies.ResetPassword, fields)
        device = await reset_password(env, token, sent.password, client_info)
    except BodyInvalid as invalid:
        return new_password_form(request, 400, faults_of(invalid.entries))
    except PasswordTooEasy as easy:
        return new_password_form(request, HTTP_MAPPINGS[PasswordTooEasy].status, {"password": TOO_EASY[easy.why]})
    except ResetTokenInvalid:
        return dead_link_page(request, Purpose.RESET_PASSWORD)
    response = _to_sign_in(request, "password_reset", link)
    keep_device(request, response, env, device)
    return response


def new_password_form(request: Request, status: int = 200, faults: dict[str, Sentence] | None = None) -> Response:
    """Return the page of a mailed link that asks for a new password."""
    min_length = site_of(request).policy.passwords.min_length
    return render.page(request, "reset.html", status, faults=faults, min_length=min_length)


def _ask_page(
    request: Request, link_action: _LinkAction, otherwise: str = "", other_button: str = "", email: str = ""
) -> Response:
    """Return the page with the link's button, and below it a second button if the link can do something else. The
    question may name the email that the link was mailed to.
    """
    texts = {
        "title": link_action.title,
        "question": link_action.question,
        "button": link_action.button,
        "otherwise": otherwise,
        "other_button": other_button,
    }
    variables: dict[str, Any] = {
        name: render.say(request, text, email=email) if text else "" for name, text in texts.items()
    }
    return render.page(request, "ask.html", **variables, new_email="")


async def _run_link_action(request: Request, env: Env, link_action: _LinkAction, secret: str) -> Response:
    link = await return_to.open_link(request, env, secret, link_action.purpose)
    try:
        reset_secret = await link_action.flow(env, secret)
    except (VerificationCodeInvalid, EmailChangeInvalid):
        return dead_link_page(request, link_action.purpose)
    if reset_secret is not None:
        return see_other(f"/resetpassword/{reset_secret}")
    if link_action is _UNDO and link is not None:
        return _to_mailbox(request, link_action.notice, link)
    return _to_sign_in(request, link_action.notice, link)


def _to_mailbox(request: Request, about: str, link: OneTimeToken) -> Response:
    """Redirect to the page that says where an email was just sent: the account has no password to sign in with."""
    response = see_other(return_to.with_query(CHECK_EMAIL_AT, about=about))
    sent_letter.remember(request, response, about, link.email)
    return response


def _to_sign_in(request: Request, notice: str, link: OneTimeToken | None = None) -> Response:
    """Redirect to the sign-in page, which leads on to where the person was going. If it is given the link, its form has
    the email that the link was mailed to.
    """
    target = return_to.as_parameter(return_to.target_of(request))
    response = see_other(return_to.with_query(SIGN_IN, notice=notice, return_to=target))
    if link is not None and link.purpose in _ABOUT:
        sent_letter.remember_opened(request, response, _ABOUT[link.purpose], link)
    return response


def _other_account_page(request: Request, caller: Caller) -> Response:
    status = HTTP_MAPPINGS[EmailChangeOfAnother].status
    title = render.say(request, _NOT_THIS_ACCOUNT)
    message = render.say(request, _WHICH_ACCOUNT, email=caller.account.email)
    return render.page(request, "told.html", status, title=title, message=message)
