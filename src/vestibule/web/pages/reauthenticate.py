"""The page that asks a signed-in user to sign in again when another page needs a recent sign-in, and then redirects to
that page.

An account with a second factor is asked for that, any other for its password.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.issue_tokens import Tokens
from vestibule.flows.my_factors import has_just_used_a_code
from vestibule.flows.passkey_step_up import step_up_by_passkey
from vestibule.flows.reauthenticate import PASSWORD, ways_to_reauthenticate
from vestibule.flows.step_up import step_up_by_code, step_up_by_password
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import ReauthenticationRequired, WrongPassword
from vestibule.web import cookies
from vestibule.web.api import bodies
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import render, return_to
from vestibule.web.pages.arrival import arrive
from vestibule.web.pages.browser_session import BrowserCaller, SessionForm
from vestibule.web.pages.form import sent_credential, validated
from vestibule.web.pages.passkey_form import PASSKEY_REFUSALS, refused_passkey
from vestibule.web.pages.route import REAUTHENTICATED, SECURITY, set_token_cookies
from vestibule.web.pages.typed_code import CODE_REFUSALS, code_faults, sent_kind, shown_kinds
from vestibule.web.pages.words import NO_PASSWORD, WRONG_PASSWORD, Sentence
from vestibule.web.site import site_of


async def ask(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Ask for the kind of proof that was chosen, or else for the first that the account has (`by`). `lacks_factor`: the
    account must have a second factor and has none, so the page leads to where one is set up.
    """
    ways, lacks_factor = await ways_to_reauthenticate(env, caller)
    kinds, by = shown_kinds(request, ways)
    just_used = await has_just_used_a_code(env, caller)
    return render.page(
        request, "reauthenticate.html", kinds=kinds, by=by, lacks_factor=lacks_factor, just_used=just_used
    )


async def reauthenticate(
    request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, client_info: ClientInfoDep
) -> Response:
    """Step up by password or code, set the cookies of the new tokens, and redirect to `return_to`."""
    if sent_kind(request) == PASSWORD and not form.get("password"):
        return _refused(request, 400, {"password": NO_PASSWORD})
    try:
        tokens = await _step_up(request, env, caller, form, client_info)
    except WrongPassword:
        return _refused(request, HTTP_MAPPINGS[WrongPassword].status, {"password": WRONG_PASSWORD})
    except CODE_REFUSALS as refusal:
        return _refused(request, HTTP_MAPPINGS[type(refusal)].status, code_faults(request, refusal))
    return await _go_on(request, tokens)


async def use_passkey(
    request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, client_info: ClientInfoDep
) -> Response:
    """Step up with the passkey that the script has asked the browser for, and redirect to `return_to`."""
    kept = cookies.read_ceremony(request.headers.raw, site_of(request).web)
    try:
        tokens = await step_up_by_passkey(env, caller, sent_credential(request, form), kept, client_info)
    except (*PASSKEY_REFUSALS, ReauthenticationRequired) as refusal:
        return _refused(request, HTTP_MAPPINGS[type(refusal)].status, **refused_passkey(request, refusal))
    response = await _go_on(request, tokens)
    cookies.clear_ceremony(response, env.clock.now(), site_of(request).web)
    return response


def reauthentication_form(request: Request, status: int) -> Response:
    """Return the form again, with this status and without a message beside a field: the form was refused before the
    handler, only for now (429, 503), and the page says why on top (`Page.show_form`).
    """
    return _refused(request, status, {})


async def _step_up(request: Request, env: Env, caller: Caller, form: dict[str, str], client_info: ClientInfo) -> Tokens:
    if sent_kind(request) == PASSWORD:
        return await step_up_by_password(env, caller, form["password"], client_info)
    return await step_up_by_code(env, caller, validated(request, bodies.TypedCode, form).code, client_info)


async def _go_on(request: Request, tokens: Tokens) -> Response:
    """Redirect to `return_to`, with the cookies of the new tokens. The security page also shows a notice, because there
    the user has to press the same button again.
    """
    notice = REAUTHENTICATED if return_to.target_of(request) == SECURITY else ""
    return await set_token_cookies(request, arrive(request, notice), tokens)


def _refused(request: Request, status: int, faults: dict[str, Sentence], **variables: Any) -> Response:
    return render.page(request, "reauthenticate.html", status, faults=faults, by=sent_kind(request), **variables)
