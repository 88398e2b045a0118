"""Where mailed links lead. Opening one, by GET or HEAD and by whatever robot, uses nothing up: the page it opens asks
for one click, which is a POST.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.ask_for_letter import request_reset
from vestibule.flows.change_address import confirm_change, undo_change
from vestibule.flows.env import Env
from vestibule.flows.reset_password import reset_password
from vestibule.flows.verify_email import verify_email
from vestibule.model.errors import Refusal
from vestibule.web.api import bodies
from vestibule.web.body import judge
from vestibule.web.caller import AtVisitor, InEnv
from vestibule.web.errors import LOOKS, BodyInvalid
from vestibule.web.pages.form import read_form
from vestibule.web.pages.render import pages_of
from vestibule.web.pages.words import _, fault_of_password


@dataclass(frozen=True)
class _Errand:
    """What a link is for: the page that asks, what the click does, and what is said afterwards."""

    title: str
    question: str
    button: str
    do: Callable[[Env, str], Awaitable[None]]
    done: str
    told: str


_VERIFY = _Errand(
    _("Confirm your address"),
    _("One click, and we know that this address is yours."),
    _("Confirm my address"),
    verify_email,
    _("Your address is confirmed"),
    _("You can close this page and sign in."),
)
_CONFIRM = _Errand(
    _("Confirm your new address"),
    _("Your account will have this address from then on, and you will be signed out on every device."),
    _("Use this address"),
    confirm_change,
    _("Your address was changed"),
    _("Sign in with your new address. We have told the old one."),
)
_UNDO = _Errand(
    _("Take your account back"),
    _("Your account gets this address again, everybody is signed out, and the password is gone."),
    _("Take my account back"),
    undo_change,
    _("Your account is yours again"),
    _("An email with a link is on its way to you. Choose a new password with it."),
)
_DEAD_LINK = _("This link does not work any more")
_WHY_DEAD = _("It was used already, or is too old, or a newer email has taken its place. Ask for another one.")


async def ask_verify(request: Request) -> Response:
    """Ask for the click that proves an address."""
    return _ask(request, _VERIFY)


async def verify(request: Request, env: InEnv, code: str) -> Response:
    """Prove the address that the link was mailed to."""
    return await _run(request, env, _VERIFY, code)


async def ask_confirm(request: Request) -> Response:
    """Ask for the click that changes an account's address."""
    return _ask(request, _CONFIRM)


async def confirm(request: Request, env: InEnv, token: str) -> Response:
    """Give the account the address that the link was mailed to."""
    return await _run(request, env, _CONFIRM, token)


async def ask_undo(request: Request) -> Response:
    """Ask for the click that takes an account back."""
    return _ask(request, _UNDO)


async def undo(request: Request, env: InEnv, token: str) -> Response:
    """Give the account back to its old address."""
    return await _run(request, env, _UNDO, token)


async def ask_forgotten(request: Request) -> Response:
    """Ask for the address of an account whose password is forgotten."""
    return pages_of(request).page(request, "forgot.html", email="", fault="")


async def forgotten(request: Request, env: InEnv, visitor: AtVisitor) -> Response:
    """Mail a link for choosing a new password, and never tell whether there is an account."""
    fields = await read_form(request)
    pages = pages_of(request)
    try:
        sent = judge(bodies.ForgotPassword, fields, request.app.state.policy)
    except BodyInvalid:
        fault = pages.say(request, _("This is not an email address."))
        return pages.page(request, "forgot.html", 400, email=fields.get("email", ""), fault=fault)
    await request_reset(env, sent.email, visitor)
    told = _("If there is an account with this address, an email is on its way to it.")
    return pages.page(
        request,
        "told.html",
        title=pages.say(request, _("Check your email")),
        message=pages.say(request, told),
        refused=False,
    )


async def ask_reset(request: Request) -> Response:
    """Ask for a new password."""
    return pages_of(request).page(request, "reset.html", fault="")


async def reset(request: Request, env: InEnv, token: str, visitor: AtVisitor) -> Response:
    """Set a new password with the mailed token."""
    fields = await read_form(request)
    pages = pages_of(request)
    try:
        sent = judge(bodies.ResetPassword, fields, request.app.state.policy)
        await reset_password(env, token, sent.password, visitor)
    except BodyInvalid as fault:
        sentence, numbers = fault_of_password(fault.entries[0])
        return pages.page(request, "reset.html", 400, fault=pages.say(request, sentence, **numbers))
    except Refusal as refusal:
        return _dead(request, refusal)
    told = _("Every device was signed out. Sign in with your new password.")
    title = pages.say(request, _("Your password was changed"))
    return pages.page(request, "told.html", title=title, message=pages.say(request, told), refused=False)


def _ask(request: Request, errand: _Errand) -> Response:
    pages = pages_of(request)
    title, question, button = (pages.say(request, text) for text in (errand.title, errand.question, errand.button))
    return pages.page(request, "ask.html", title=title, question=question, button=button)


async def _run(request: Request, env: Env, errand: _Errand, secret: str) -> Response:
    try:
        await errand.do(env, secret)
    except Refusal as refusal:
        return _dead(request, refusal)
    pages = pages_of(request)
    title, told = pages.say(request, errand.done), pages.say(request, errand.told)
    return pages.page(request, "told.html", title=title, message=told, refused=False)


def _dead(request: Request, refusal: Refusal) -> Response:
    pages = pages_of(request)
    title, why = pages.say(request, _DEAD_LINK), pages.say(request, _WHY_DEAD)
    return pages.page(request, "told.html", LOOKS[type(refusal)].status, title=title, message=why, refused=True)
