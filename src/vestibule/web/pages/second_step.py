"""The second step of signing in: after a right password, ask for one of the second factors."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.begin_session import SecondFactorNeeded, SignedIn
from vestibule.flows.complete_sign_in import complete_sign_in, waiting_sign_in
from vestibule.flows.env import Env
from vestibule.flows.passkey_second_step import complete_sign_in_with_passkey
from vestibule.model.factor_errors import NoPendingSignIn
from vestibule.web import cookies
from vestibule.web.api import bodies
from vestibule.web.caller import ClientInfoDep, EnvDep, second_step_handle
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import render
from vestibule.web.pages.arrival import arrive, start_again, wait_at
from vestibule.web.pages.form import read_form, sent_credential, validated
from vestibule.web.pages.passkey_form import PASSKEY_REFUSALS, refused_passkey
from vestibule.web.pages.route import set_session_cookies
from vestibule.web.pages.typed_code import CODE_REFUSALS, code_faults, sent_kind, shown_kinds
from vestibule.web.pages.words import Sentence
from vestibule.web.site import site_of

PATH = "/login/second-step"


def go_to_second_step(request: Request, needed: SecondFactorNeeded) -> Response:
    """Redirect to the second step, and set the cookie that it needs."""
    return wait_at(request, PATH, needed.handle)


async def ask_second_step(request: Request, env: EnvDep) -> Response:
    """Ask for a code or a passkey, and say who signs in. Redirect to the first step if no sign-in waits any more."""
    try:
        waiting = await waiting_sign_in(env, second_step_handle(request))
    except NoPendingSignIn:
        return start_again(request)
    kinds, by = shown_kinds(request, waiting.kinds)
    return render.page(request, "second_step.html", email=waiting.email, kinds=kinds, by=by)


async def take_second_step(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Complete the sign-in, and redirect to `return_to`."""
    fields = await read_form(request)
    try:
        sent = validated(request, bodies.TypedCode, fields)
        outcome = await complete_sign_in(env, second_step_handle(request), sent.code, client_info)
    except CODE_REFUSALS as refusal:
        return _refused(request, HTTP_MAPPINGS[type(refusal)].status, code_faults(request, refusal))
    except NoPendingSignIn:
        return start_again(request)
    return await _signed_in(request, env, outcome)


async def use_passkey(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Complete the sign-in with the passkey that the script has asked the browser for."""
    fields, web = await read_form(request), site_of(request).web
    kept = cookies.read_ceremony(request.headers.raw, web)
    try:
        credential = sent_credential(request, fields)
        outcome = await complete_sign_in_with_passkey(env, second_step_handle(request), credential, kept, client_info)
    except PASSKEY_REFUSALS as refusal:
        return _refused(request, HTTP_MAPPINGS[type(refusal)].status, **refused_passkey(request, refusal))
    except NoPendingSignIn:
        return start_again(request)
    response = await _signed_in(request, env, outcome)
    cookies.clear_ceremony(response, env.clock.now(), web)
    return response


def second_step_form(request: Request, status: int) -> Response:
    """Return the form again, after a request that was refused for now (429, 503). The URL map names this function."""
    return _refused(request, status, {})


async def _signed_in(request: Request, env: Env, outcome: SignedIn) -> Response:
    response = await set_session_cookies(request, arrive(request), outcome)
    cookies.clear_second_factor(response, env.clock.now(), site_of(request).web)
    return response


def _refused(request: Request, status: int, faults: dict[str, Sentence], **variables: Any) -> Response:
    return render.page(request, "second_step.html", status, faults=faults, by=sent_kind(request), **variables)
