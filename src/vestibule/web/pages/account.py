"""The pages of the signed-in user's account: profile, devices, recent activity, and new name, password or email."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows import my_sessions
from vestibule.flows.ask_for_letter import request_verification
from vestibule.flows.change_email import request_change
from vestibule.flows.change_name import change_name as change_name_flow
from vestibule.flows.change_password import change_password as change_password_flow
from vestibule.flows.my_data import account_overview
from vestibule.flows.my_factors import list_factors
from vestibule.flows.my_letters import was_mailed_a_link
from vestibule.flows.reauthenticate import ask_for_recent_factor
from vestibule.model.errors import EmailUnchanged, PasswordTooEasy, SessionUnknown, WrongPassword
from vestibule.model.operators import Console
from vestibule.model.permissions import OF_ROLE
from vestibule.web.api import bodies
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import my_passkeys, render, return_to, sent_letter
from vestibule.web.pages.account_words import WHAT_HAPPENED, WHY_OVER
from vestibule.web.pages.browser_session import BrowserCaller, SessionForm
from vestibule.web.pages.form import validated
from vestibule.web.pages.route import see_other, set_session_cookies
from vestibule.web.pages.words import EMAIL_ASKED, EMAIL_UNCHANGED, TOO_EASY, WRONG_PASSWORD, Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

_SECURITY = "/profile/security"
_LINK_SENT = "email_asked"


async def profile(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Show my profile. Operators also get a link to the console, unless it is off."""
    is_operator = env.policy.console is not Console.OFF and bool(OF_ROLE[caller.account.role])
    link_sent = not caller.account.verified and await was_mailed_a_link(env, caller)
    return render.page(request, "profile.html", is_operator=is_operator, link_sent=link_sent)


async def ask_name(request: Request) -> Response:
    """Ask for another name."""
    return name_form(request)


async def change_name(
    request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, client_info: ClientInfoDep
) -> Response:
    """Change the name of the account."""
    try:
        sent = validated(request, bodies.ChangeName, form)
    except BodyInvalid as invalid:
        return name_form(request, 400, faults_of(invalid.entries))
    await change_name_flow(env, caller, sent.name.strip(), client_info)
    return see_other(return_to.with_query(return_to.HOME, notice="name_changed"))


async def send_verification(
    request: Request, env: EnvDep, caller: BrowserCaller, client_info: ClientInfoDep
) -> Response:
    """Mail another link that verifies my email."""
    await request_verification(env, caller.account.email, return_to.with_target(request, client_info))
    return see_other(return_to.with_query(return_to.HOME, notice="letter_sent"))


async def security(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Show where I am signed in, which sessions ended and why, and recent activity."""
    mine, factors = await account_overview(env, caller), await list_factors(env, caller)
    now = env.clock.now()
    reasons = [(session, session.why_over(now)) for session in mine.past]
    past = [(session, render.say(request, WHY_OVER[reason])) for session, reason in reasons if reason is not None]
    happened = [(event, render.say(request, WHAT_HAPPENED[event.kind])) for event in mine.events]
    this_device_first = sorted(mine.live.listed, key=lambda session: session.id != caller.session_id)
    new_email = sent_letter.new_email(request) if request.query_params.get("notice") == _LINK_SENT else ""
    notice: dict[str, Any] = {"notice": render.say(request, EMAIL_ASKED, email=new_email)} if new_email else {}
    live: dict[str, Any] = {"sessions": this_device_first, "more": mine.live.not_listed, "current": caller.session_id}
    return _page(
        request,
        "security.html",
        past=past,
        happened=happened,
        factors=factors,
        offers_app=env.seal is not None,
        **await my_passkeys.listed(request, env, caller),
        **live,
        **notice,
    )


async def end_one(env: EnvDep, caller: BrowserCaller, session_id: str) -> Response:
    """Sign one device out. A device that is already signed out is not an error."""
    try:
        await my_sessions.end_one(env, caller, session_id)
    except SessionUnknown:
        return see_other(_SECURITY)
    return see_other(return_to.with_query(_SECURITY, notice="device_signed_out"))


async def end_others(env: EnvDep, caller: BrowserCaller) -> Response:
    """Sign every other device out."""
    await my_sessions.end_others(env, caller)
    return see_other(return_to.with_query(_SECURITY, notice="others_signed_out"))


async def ask_password(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Ask for the current password and a new one."""
    await ask_for_recent_factor(env, caller)
    return password_form(request)


async def change_password(
    request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, client_info: ClientInfoDep
) -> Response:
    """Change the password. Every session ends, and this device gets a new one."""
    try:
        sent = validated(request, bodies.ChangePassword, form)
        outcome = await change_password_flow(env, caller, sent.current_password, sent.password, client_info)
    except BodyInvalid as invalid:
        return _page(request, "password.html", 400, faults_of(invalid.entries))
    except PasswordTooEasy as easy:
        return _page(request, "password.html", HTTP_MAPPINGS[PasswordTooEasy].status, {"password": TOO_EASY[easy.why]})
    except WrongPassword:
        return _page(request, "password.html", HTTP_MAPPINGS[WrongPassword].status, {"currentPassword": WRONG_PASSWORD})
    return await set_session_cookies(
        request, see_other(return_to.with_query(_SECURITY, notice="password_changed")), outcome
    )


async def ask_new_email(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Ask for another email, and the password."""
    await ask_for_recent_factor(env, caller)
    return email_form(request)


async def change_email(
    request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, client_info: ClientInfoDep
) -> Response:
    """Mail a link to the new email. The account keeps its old email until the link is used."""
    try:
        sent = validated(request, bodies.ChangeEmail, form)
        client_info = return_to.with_target(request, client_info)
        await request_change(env, caller, sent.current_password, sent.email, client_info)
    except BodyInvalid as invalid:
        return _page(request, "change_email.html", 400, faults_of(invalid.entries))
    except EmailUnchanged:
        faults = {"email": EMAIL_UNCHANGED}
        return _page(request, "change_email.html", HTTP_MAPPINGS[EmailUnchanged].status, faults)
    except WrongPassword:
        faults = {"currentPassword": WRONG_PASSWORD}
        return _page(request, "change_email.html", HTTP_MAPPINGS[WrongPassword].status, faults)
    response = see_other(return_to.with_query(_SECURITY, notice=_LINK_SENT))
    sent_letter.remember(request, response, sent_letter.NEW_EMAIL, sent.email)
    return response


# `web/routes.py` names these three as `show_form`: they are shown again if the request was refused for now (429, 503).


def name_form(request: Request, status: int = 200, faults: dict[str, Sentence] | None = None) -> Response:
    """Return the form that asks for another name. `render.page` fills in what was typed."""
    return _page(request, "name.html", status, faults)


def password_form(request: Request, status: int = 200) -> Response:
    """Return the form that asks for a new password."""
    return _page(request, "password.html", status)


def email_form(request: Request, status: int = 200) -> Response:
    """Return the form that asks for another email. `render.page` fills in what was typed."""
    return _page(request, "change_email.html", status)


def _page(
    request: Request,
    template: str,
    status: int = 200,
    faults: dict[str, Sentence] | None = None,
    **variables: Any,
) -> Response:
    rules = site_of(request).policy.passwords
    return render.page(request, template, status, faults=faults, min_length=rules.min_length, **variables)
