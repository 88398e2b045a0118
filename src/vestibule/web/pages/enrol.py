"""Set up the second factor that an account must have and lacks: after the password, before the sign-in is complete."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.begin_session import EnrolmentNeeded
from vestibule.flows.enrol_at_sign_in import (
    Enrolled,
    begin_totp_at_sign_in,
    begun_totp_at_sign_in,
    confirm_totp_at_sign_in,
    enrolling_sign_in,
)
from vestibule.flows.enrol_passkey_at_sign_in import enrol_passkey as enrol_passkey_flow
from vestibule.model.errors import Refusal
from vestibule.model.factor_errors import (
    FactorUnknown,
    NoPendingSignIn,
    PasskeyTaken,
    SecondFactorRequired,
    WrongCode,
)
from vestibule.web import cookies
from vestibule.web.api import bodies
from vestibule.web.api.factors import qr_code
from vestibule.web.caller import ClientInfoDep, EnvDep, second_step_handle
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import new_codes, render, return_to, second_step
from vestibule.web.pages.arrival import start_again, wait_at
from vestibule.web.pages.code_words import WRONG_NEW_CODES
from vestibule.web.pages.form import read_form, sent_credential, typed_code, validated
from vestibule.web.pages.passkey_form import PASSKEY_REFUSALS, passkey_faults
from vestibule.web.pages.route import see_other, set_session_cookies
from vestibule.web.pages.words import Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

PATH = "/login/enrol"


def go_to_enrolment(request: Request, needed: EnrolmentNeeded) -> Response:
    """Redirect to the page that sets up a factor, and set the cookie that it needs."""
    return wait_at(request, PATH, needed.handle)


async def ask(request: Request, env: EnvDep) -> Response:
    """If the setup of an authenticator app was begun, show its key and ask for one of its codes. Otherwise say why a
    factor is needed, and offer the kinds.
    """
    try:
        _, account = await enrolling_sign_in(env, second_step_handle(request))
        new = await begun_totp_at_sign_in(env, second_step_handle(request))
    except (NoPendingSignIn, SecondFactorRequired) as refusal:
        return _elsewhere(request, refusal)
    shown = {"key": new.key, "uri": new.uri, "qr": qr_code(new.uri)} if new is not None else {}
    offered = site_of(request).policy.relying_party is not None
    return form(request, shown={"email": account.email, "offers_passkeys": offered, **shown})


async def begin_app(request: Request, env: EnvDep) -> Response:
    """Make the secret of an authenticator app, which is no factor until a code confirms it, and redirect to the page
    that shows it.
    """
    await read_form(request)
    try:
        await begin_totp_at_sign_in(env, second_step_handle(request))
    except (NoPendingSignIn, SecondFactorRequired) as refusal:
        return _elsewhere(request, refusal)
    return _at(request, PATH)


async def confirm_app(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Confirm the app with one of its codes, complete the sign-in, and show the recovery codes."""
    fields = await read_form(request)
    try:
        sent = validated(request, bodies.EnrolTotp, {"code": typed_code(fields)})
        enrolled = await confirm_totp_at_sign_in(env, second_step_handle(request), sent.code, client_info)
    except BodyInvalid as invalid:
        return form(request, 400, faults_of(invalid.entries))
    except WrongCode as refusal:
        return form(request, HTTP_MAPPINGS[type(refusal)].status, {"code": WRONG_NEW_CODES[type(refusal)]})
    except FactorUnknown:  # no setup is under way
        return _at(request, PATH)
    except (NoPendingSignIn, SecondFactorRequired) as refusal:
        return _elsewhere(request, refusal)
    return await _enrolled(request, enrolled, "app_added")


async def add_passkey(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Add the passkey that the browser has made, complete the sign-in, and show the recovery codes."""
    fields, web = await read_form(request), site_of(request).web
    kept, handle = cookies.read_ceremony(request.headers.raw, web), second_step_handle(request)
    try:
        credential = sent_credential(request, fields)
        enrolled = await enrol_passkey_flow(env, handle, credential, kept, "", client_info)
    except (*PASSKEY_REFUSALS, PasskeyTaken) as refusal:
        return form(request, HTTP_MAPPINGS[type(refusal)].status, passkey_faults(refusal))
    except (NoPendingSignIn, SecondFactorRequired) as refusal:
        return _elsewhere(request, refusal)
    response = await _enrolled(request, enrolled, "passkey_added")
    cookies.clear_ceremony(response, env.clock.now(), web)
    return response


def form(
    request: Request, status: int = 200, faults: dict[str, Sentence] | None = None, shown: dict[str, Any] | None = None
) -> Response:
    """Return the page. `shown` has its variables about the account, and about an app whose setup was begun. Also called
    if the request was refused for now (429, 503).
    """
    return render.page(request, "enrol.html", status, faults=faults, **(shown or {}))


async def _enrolled(request: Request, enrolled: Enrolled, notice: str) -> Response:
    """Set the cookies of the new session, and go to its recovery codes, and from there on to `return_to`."""
    site, session_id = site_of(request), enrolled.signed_in.session.id
    target = return_to.as_parameter(return_to.target_of(request))
    shown = see_other(return_to.with_query(new_codes.PATH, notice=notice, return_to=target))
    response = await set_session_cookies(request, shown, enrolled.signed_in)
    new_codes.keep(request, response, session_id, enrolled.recovery_codes)
    cookies.clear_second_factor(response, site.env.clock.now(), site.web)
    return response


def _elsewhere(request: Request, refusal: Refusal) -> Response:
    """Go to the second step if the account has a factor by now, otherwise back to the first step."""
    if isinstance(refusal, SecondFactorRequired):
        return _at(request, second_step.PATH)
    return start_again(request)


def _at(request: Request, path: str) -> Response:
    return see_other(return_to.with_query(path, return_to=return_to.as_parameter(return_to.target_of(request))))
