"""The pages for signing in by an emailed code: ask for it, and type it in the same browser."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.ask_for_email_code import request_email_code
from vestibule.flows.email_code_sign_in import sign_in_by_email_code
from vestibule.model.email_code_errors import EMAIL_CODE_REFUSALS, EmailCodeElsewhere
from vestibule.translations.marking import _
from vestibule.web import cookies
from vestibule.web.api import bodies
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import render, return_to, sent_letter
from vestibule.web.pages.arrival import arrive
from vestibule.web.pages.browser_session import OptionalBrowserCaller
from vestibule.web.pages.code_words import WRONG_EMAIL_CODES
from vestibule.web.pages.form import read_form, validated
from vestibule.web.pages.no_cookies import keeps_none
from vestibule.web.pages.outcome import lead_on
from vestibule.web.pages.route import see_other
from vestibule.web.pages.words import Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

PATH, TYPE_AT = "/login/email-code", "/login/email-code/enter"
_TITLE = _("Sign in with an emailed code")
_QUESTION = _("Enter your email address and we'll send you a code.")
_BUTTON = _("Email me a code")


async def ask_email(request: Request, caller: OptionalBrowserCaller) -> Response:
    """Ask where to mail a code."""
    return arrive(request) if caller is not None else email_form(request)


async def send_code(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Mail a code, and redirect to the page that takes it; never tell whether there is an account."""
    fields = await read_form(request)
    if keeps_none(request):  # the browser keeps no cookies, and the page says so
        return email_form(request, 400)
    try:
        sent = validated(request, bodies.AskForEmailCode, fields)
    except BodyInvalid as invalid:
        return email_form(request, 400, faults_of(invalid.entries))
    handle = await request_email_code(env, sent.email, client_info, _kept(request))
    response = _at(request, TYPE_AT)
    cookies.set_email_code(response, handle, env.clock.now(), site_of(request).web)
    sent_letter.remember(request, response, sent_letter.SIGN_IN_CODE, sent.email)
    return response


def email_form(request: Request, status: int = 200, faults: dict[str, Sentence] | None = None) -> Response:
    """Return the form that asks where to mail a code. Also called if the request was refused for now (429, 503)."""
    title, question, button = (render.say(request, text) for text in (_TITLE, _QUESTION, _BUTTON))
    values = sent_letter.values_to_change(request, sent_letter.mailed_code(request))
    variables = {"title": title, "question": question, "button": button, **values}
    return render.page(request, "by_email.html", status, faults=faults, **variables)


async def ask_code(request: Request, caller: OptionalBrowserCaller) -> Response:
    """Ask for the mailed code. If this browser has not asked for a code, redirect to the page where codes are asked
    for.
    """
    if caller is not None:
        return arrive(request)
    return code_form(request, shown=_shown(request)) if _kept(request) else _ask_here(request)


async def take_code(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Begin a session with the mailed code, set its cookies, and redirect to `return_to`; or to the page that asks for,
    or sets up, the second factor that is missing.
    """
    fields, web = await read_form(request), site_of(request).web
    previous_token = cookies.read_refresh(request.headers.raw, web) or ""
    try:
        sent = validated(request, bodies.TypedCode, fields)
        outcome = await sign_in_by_email_code(env, _kept(request), sent.code, client_info, previous_token)
    except BodyInvalid as invalid:
        return code_form(request, 400, faults_of(invalid.entries))
    except EmailCodeElsewhere:
        return email_form(request, 400) if keeps_none(request) else _ask_here(request)
    except EMAIL_CODE_REFUSALS as refusal:
        return code_form(request, HTTP_MAPPINGS[type(refusal)].status, {"code": WRONG_EMAIL_CODES[type(refusal)]})
    response = await lead_on(request, outcome)
    cookies.clear_email_code(response, env.clock.now(), web)
    return response


def code_form(
    request: Request, status: int = 200, faults: dict[str, Sentence] | None = None, shown: dict[str, Any] | None = None
) -> Response:
    """Return the form that takes the code; `shown` is what it says about the email. Also called if the request was
    refused for now (429, 503).
    """
    return render.page(request, "email_code.html", status, faults=faults, **(shown or {}))


def _shown(request: Request) -> dict[str, Any]:
    """Return where the code went, when another one can be sent, and where to correct the email."""
    sent = sent_letter.mailed_code(request)
    wait = sent.seconds_to_wait(request) if sent else 0
    target = return_to.as_parameter(return_to.target_of(request))
    change_at = return_to.with_query(PATH, change="email", return_to=target)
    return {"sent": sent, "wait": wait, "when": render.waiting_time(request, wait), "change_at": change_at}


def _ask_here(request: Request) -> Response:
    """Redirect to the page where codes are asked for, and say there that this browser has not asked for one."""
    return _at(request, PATH, notice="code_elsewhere")


def _at(request: Request, path: str, notice: str = "") -> Response:
    target = return_to.as_parameter(return_to.target_of(request))
    return see_other(return_to.with_query(path, notice=notice, return_to=target))


def _kept(request: Request) -> str:
    """Return the sealed handle that came in the cookie when a code was asked for; empty without the cookie."""
    return cookies.read_email_code(request.headers.raw, site_of(request).web)
