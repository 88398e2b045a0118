"""The pages that mailed links open: verification and new passwords.

Programs that scan emails open links too, so a GET never uses up a link: the page asks for a click, which sends a POST.
If a link is dead, the GET says so at once: it tells only somebody who has the mailed secret, and no more than the POST.
"""

from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.check_link import link_works
from vestibule.flows.reset_password import reset_password
from vestibule.flows.take_over import take_over as take_over_flow
from vestibule.flows.verify_email import needs_new_password, verify_or_reset
from vestibule.model.errors import VerificationCodeInvalid
from vestibule.model.one_time_tokens import Purpose
from vestibule.translations.marking import _
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.pages import return_to
from vestibule.web.pages.dead_link import dead_link_page
from vestibule.web.pages.link_action import LinkAction, ask_page, run_link_action
from vestibule.web.pages.password_by_link import PasswordPage
from vestibule.web.pages.route import see_other
from vestibule.web.request_context import context_of

NEW_PASSWORD = PasswordPage(Purpose.RESET_PASSWORD, "reset.html", "password_reset")
_VERIFY = LinkAction(
    _("Confirm your email address"),
    _("Click the button to confirm that %(email)s is your email address."),
    _("Confirm my email address"),
    Purpose.VERIFY_EMAIL,
    verify_or_reset,
    "verified",
)
# Only its page differs: the POST goes to `verify`, and the flow sees for itself that a password is needed.
_VERIFY_WITH_PASSWORD = replace(
    _VERIFY,
    title=_("Confirm your email address and choose a password"),
    question=_(
        "This email address was used to sign up more than once, with different passwords. Choose a new one that "
        "nobody else knows. It replaces the others and signs out all devices."
    ),
    button=_("Choose my own password"),
)
_NOT_MINE = _("Didn't create this account? Choose a password of your own. This signs out the person who created it.")
_MAKE_MINE = _("Choose my own password")


async def ask_verify(request: Request, env: EnvDep, code: str) -> Response:
    """Ask for the click that verifies an email, and offer to take over an account that somebody else made with it. If
    it was registered more than once, say so, and ask for a new password.
    """
    link = await return_to.adopt_link_target(request, env, code, Purpose.VERIFY_EMAIL)
    # The look-up also finds a spent or expired link, so ask whether this one still works.
    if link is None or not await link_works(env, code, Purpose.VERIFY_EMAIL):
        return dead_link_page(request, Purpose.VERIFY_EMAIL)
    if await needs_new_password(env, code):
        return ask_page(request, _VERIFY_WITH_PASSWORD)
    return ask_page(request, _VERIFY, _NOT_MINE, _MAKE_MINE, email=link.email)


async def verify(request: Request, env: EnvDep, code: str) -> Response:
    """Verify the email that the link was mailed to. If it was registered more than once, redirect to the page for a new
    password instead.
    """
    account = context_of(request).session_account
    flow = partial(verify_or_reset, signed_in_to=account.id if account else None)
    return await run_link_action(request, env, replace(_VERIFY, flow=flow), code)


async def take_over(request: Request, env: EnvDep, code: str) -> Response:
    """Verify the email, end the account's password and sessions, and ask for a new password."""
    await return_to.adopt_link_target(request, env, code, Purpose.VERIFY_EMAIL)
    try:
        secret = await take_over_flow(env, code)
    except VerificationCodeInvalid:
        return dead_link_page(request, Purpose.VERIFY_EMAIL)
    return see_other(f"/resetpassword/{secret}")


async def ask_reset(request: Request, env: EnvDep, token: str) -> Response:
    """Ask for a new password."""
    return await NEW_PASSWORD.ask(request, env, token)


async def reset(request: Request, env: EnvDep, token: str, client_info: ClientInfoDep) -> Response:
    """Set a new password with the mailed token."""
    set_password = partial(reset_password, env, token, client_info=client_info)
    return await NEW_PASSWORD.choose(request, env, token, set_password)
