"""The second step of signing in: after a right password, ask for a code of the authenticator app or a recovery code."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.begin_session import SecondFactorNeeded
from vestibule.flows.complete_sign_in import complete_sign_in, waiting_sign_in
from vestibule.model.factor_errors import NoPendingSignIn, SecondFactorPaused, WrongCode
from vestibule.model.factors import FactorKind
from vestibule.model.pending_sign_ins import LIFETIME
from vestibule.web import cookies
from vestibule.web.api import bodies
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import render, return_to
from vestibule.web.pages.arrival import arrive
from vestibule.web.pages.form import form_values, read_form, validated
from vestibule.web.pages.route import SIGN_IN, see_other, set_session_cookies
from vestibule.web.pages.words import (
    CODES_PAUSED,
    PAUSED_UNTIL,
    WRONG_CODES,
    WRONG_RECOVERY_CODE,
    Sentence,
    faults_of,
)
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

PATH = "/login/second-step"
_BY = "by"  # the field, and the parameter, with the kind of code that is asked for


def go_to_second_step(request: Request, needed: SecondFactorNeeded) -> Response:
    """Redirect to the second step, and set the cookie that it needs."""
    site = site_of(request)
    target = return_to.as_parameter(return_to.target_of(request))
    response = see_other(return_to.with_query(PATH, return_to=target))
    cookies.set_second_factor(response, needed.handle, LIFETIME, site.env.clock.now(), site.web)
    return response


async def ask_second_step(request: Request, env: EnvDep) -> Response:
    """Ask for a code; say who signs in. Go back to the first step if there is none that is still good."""
    try:
        waiting = await waiting_sign_in(env, _handle(request))
    except NoPendingSignIn:
        return _start_again(request)
    kinds = [kind.value for kind in waiting.kinds]
    by = request.query_params.get(_BY, "")
    if by not in kinds:
        by = FactorKind.TOTP.value if FactorKind.TOTP in waiting.kinds else FactorKind.RECOVERY_CODE.value
    return render.page(request, "second_step.html", email=waiting.email, kinds=kinds, by=by)


async def take_second_step(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Complete the sign-in, and redirect to `return_to`."""
    fields = await read_form(request)
    try:
        sent = validated(request, bodies.TypedCode, fields)
        outcome = await complete_sign_in(env, _handle(request), sent.code, client_info)
    except BodyInvalid as invalid:
        return _refused(request, 400, faults_of(invalid.entries))
    except WrongCode as wrong:
        return _refused(request, HTTP_MAPPINGS[WrongCode].status, {"code": _wrong_code(request, wrong)})
    except SecondFactorPaused as paused:
        return _refused(request, HTTP_MAPPINGS[SecondFactorPaused].status, {"code": _paused(request, paused)})
    except NoPendingSignIn:
        return _start_again(request)
    response = await set_session_cookies(request, arrive(request), outcome)
    cookies.clear_second_factor(response, env.clock.now(), site_of(request).web)
    return response


def second_step_form(request: Request, status: int) -> Response:
    """Return the form again."""
    return _refused(request, status, {})


def _refused(request: Request, status: int, faults: dict[str, Sentence]) -> Response:
    return render.page(request, "second_step.html", status, faults=faults, by=_by(request))


def _paused(request: Request, paused: SecondFactorPaused) -> Sentence:
    if paused.retry_after_seconds is None:
        return CODES_PAUSED
    return PAUSED_UNTIL, {"when": render.waiting_time(request, paused.retry_after_seconds)}


def _wrong_code(request: Request, wrong: WrongCode) -> Sentence:
    return WRONG_RECOVERY_CODE if _by(request) == FactorKind.RECOVERY_CODE else WRONG_CODES[wrong.why]


def _by(request: Request) -> str:
    """Return the kind of code that the form asked for."""
    sent = form_values(request).get(_BY, "")
    return sent if sent == FactorKind.RECOVERY_CODE else FactorKind.TOTP.value


def _start_again(request: Request) -> Response:
    """Go back to the first step, because the second one came too late."""
    target = return_to.as_parameter(return_to.target_of(request))
    return see_other(return_to.with_query(SIGN_IN, notice="second_step_late", return_to=target))


def _handle(request: Request) -> str:
    return cookies.read_second_factor(request.headers.raw, site_of(request).web) or ""
