"""The pages for signing up, and for asking for a mailed link."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.ask_for_letter import request_reset, request_verification
from vestibule.flows.begin_session import EnrolmentNeeded
from vestibule.flows.env import Env
from vestibule.flows.sign_up import sign_up
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import EmailTaken, PasswordTooEasy
from vestibule.model.factors import FactorKind
from vestibule.translations.marking import _
from vestibule.web.api import bodies
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import render, return_to, sent_letter
from vestibule.web.pages.arrival import arrive
from vestibule.web.pages.browser_session import OptionalBrowserCaller
from vestibule.web.pages.enrol import go_to_enrolment
from vestibule.web.pages.form import read_form, validated
from vestibule.web.pages.no_cookies import keeps_none
from vestibule.web.pages.route import CHECK_EMAIL_AT, see_other, set_session_cookies
from vestibule.web.pages.words import CHECK_EMAIL, EMAIL_TAKEN, TOO_EASY, Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

_WELCOME = "signed_up"
# By what an email is about: the page that sends it again, and the page with the form in which its address was typed.
_RESEND_AT = {"reset": "/forgotpassword", "taken_back": "/forgotpassword"}
_FORMS = {"registered": "/register", "verify": "/verifyemail", **_RESEND_AT}


@dataclass(frozen=True)
class _ByEmail:
    """A page that asks for an email address and mails a link there. `about` chooses the text on `/checkemail`."""

    title: str
    question: str
    about: str
    flow: Callable[[Env, str, ClientInfo], Awaitable[None]]


_RESET = _ByEmail(
    _("Forgot your password?"),
    _("Enter your email address and we'll send you a reset link."),
    "reset",
    request_reset,
)
_VERIFY = _ByEmail(
    _("Confirm your email address"),
    _("Enter the email address you signed up with and we'll send you another link."),
    "verify",
    request_verification,
)


async def ask_register(request: Request, caller: OptionalBrowserCaller) -> Response:
    """Ask for a name, an email and a password."""
    return arrive(request) if caller is not None else register_form(request)


async def register(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Create an account and mail a link that verifies its email. Sign the person in at once if the policy
    does so (`signs_in_at_sign_up`); or redirect to the page that sets up a second factor.
    """
    fields = await read_form(request)
    if keeps_none(request):  # the browser keeps no cookies, and the page says so
        return register_form(request, 400)
    try:
        sent = validated(request, bodies.Register, fields)
        client_info = return_to.with_target(request, client_info)
        outcome = await sign_up(env, sent.name.strip(), sent.email, sent.password, client_info)
    except BodyInvalid as invalid:
        return register_form(request, 400, faults_of(invalid.entries))
    except PasswordTooEasy as easy:
        return register_form(request, HTTP_MAPPINGS[PasswordTooEasy].status, {"password": TOO_EASY[easy.why]})
    except EmailTaken:
        return register_form(request, HTTP_MAPPINGS[EmailTaken].status, {"email": EMAIL_TAKEN}, is_taken=True)
    if isinstance(outcome, EnrolmentNeeded):
        return go_to_enrolment(request, outcome)
    if outcome is not None:
        return await set_session_cookies(request, arrive(request, _WELCOME), outcome)
    return _sent(request, "registered", sent.email, sent.name.strip())


async def ask_forgot_password(request: Request) -> Response:
    """Ask for the email of an account whose password was forgotten."""
    return reset_form(request)


async def forgot_password(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Mail a link for choosing a new password; never tell whether there is an account."""
    return await _send(request, env, _RESET, client_info)


async def ask_resend(request: Request) -> Response:
    """Ask for the email that is still to be verified."""
    return verification_form(request)


async def resend(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Mail another link that verifies an email; never tell whether there is one to verify."""
    return await _send(request, env, _VERIFY, client_info)


def register_form(
    request: Request, status: int = 200, faults: dict[str, Sentence] | None = None, *, is_taken: bool = False
) -> Response:
    """Return the form, with what was typed if it is shown again; with a way to sign in if the email is taken."""
    return render.page(
        request,
        "register.html",
        status,
        faults=faults,
        min_length=site_of(request).policy.passwords.min_length,
        is_taken=is_taken,
        tells_of_mail=_leads_to_no_notice(request),
        **_values_to_change(request),
    )


def _leads_to_no_notice(request: Request) -> bool:
    """Return whether signing up leads to a page that does not say that an email was sent, such as an app's page."""
    target = return_to.target_of(request)
    return site_of(request).policy.signs_in_at_sign_up and return_to.with_notice(target, _WELCOME) == target


def reset_form(request: Request, status: int = 200) -> Response:
    """Return the form that asks where to mail a link for a new password. Also called if the request was refused for
    now (429, 503).
    """
    return _by_email_page(request, _RESET, status)


def verification_form(request: Request, status: int = 200) -> Response:
    """Return the form that asks where to mail another verification link. Also called if the request was refused for
    now (429, 503).
    """
    return _by_email_page(request, _VERIFY, status)


async def check_email(request: Request, about: str = "reset", removed: str = "") -> Response:
    """Say that an email is on its way. After a change of email was undone, also say which kinds of factors that
    removed.
    """
    sent = sent_letter.sent_letter(request)
    told = CHECK_EMAIL.get(sent.about if sent else about, CHECK_EMAIL["reset"])
    wait = sent.seconds_to_wait(request) if sent else 0
    taken_back = sent is not None and sent.about == sent_letter.TAKEN_BACK
    return render.page(
        request,
        "check_email.html",
        message=render.say(request, told),
        sent=sent,
        removed=[kind for kind in FactorKind if taken_back and kind in removed.split()],
        wait=wait,
        when=render.waiting_time(request, wait),
        resend_at=_RESEND_AT.get(sent.about if sent else about, "/verifyemail"),
        change_at=return_to.with_query(
            _form_of(sent) if sent else "",
            change="email",
            return_to=return_to.as_parameter(return_to.target_of(request)),
        ),
    )


def _form_of(sent: sent_letter.SentLetter) -> str:
    """Return the form in which the email was typed."""
    return "/register" if sent.name else _FORMS[sent.about]


def _values_to_change(request: Request) -> dict[str, Any]:
    return sent_letter.values_to_change(request, sent_letter.sent_letter(request))


async def _send(request: Request, env: Env, by_email: _ByEmail, client_info: ClientInfo) -> Response:
    fields = await read_form(request)
    try:
        sent = validated(request, bodies.ForgotPassword, fields)
    except BodyInvalid as invalid:
        return _by_email_page(request, by_email, 400, faults_of(invalid.entries))
    await by_email.flow(env, sent.email, return_to.with_target(request, client_info))
    return _sent(request, by_email.about, sent.email)


def _sent(request: Request, about: str, email: str, name: str = "") -> Response:
    """Redirect to the page that says that an email was sent, with its address in a cookie."""
    response = see_other(return_to.with_query(CHECK_EMAIL_AT, about=about))
    sent_letter.remember(request, response, about, email, name)
    return response


def _by_email_page(
    request: Request,
    by_email: _ByEmail,
    status: int = 200,
    faults: dict[str, Sentence] | None = None,
) -> Response:
    title, question = render.say(request, by_email.title), render.say(request, by_email.question)
    values = _values_to_change(request)
    return render.page(request, "by_email.html", status, faults=faults, title=title, question=question, **values)
