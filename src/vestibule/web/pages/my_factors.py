"""The pages of my second factors: set up and remove an authenticator app, and make recovery codes."""

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from vestibule.flows.enrol_totp import begin_totp, begun_totp
from vestibule.flows.enrol_totp import confirm_totp as confirm_totp_flow
from vestibule.flows.my_factors import list_factors, make_recovery_codes
from vestibule.flows.my_factors import remove_totp as remove_totp_flow
from vestibule.flows.my_sessions import count_others
from vestibule.flows.reauthenticate import ask_for_recent_sign_in
from vestibule.model.factor_errors import FactorUnknown, LastFactor, WrongCode
from vestibule.web.api import bodies
from vestibule.web.api.factors import qr_code
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import new_codes, render, return_to
from vestibule.web.pages.arrival import arrive
from vestibule.web.pages.browser_session import BrowserCaller, SessionForm
from vestibule.web.pages.code_words import WRONG_NEW_CODES
from vestibule.web.pages.form import typed_code, validated
from vestibule.web.pages.route import see_other
from vestibule.web.pages.words import LAST_FACTOR, Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid

SECURITY = "/profile/security"
APP = f"{SECURITY}/authenticator"
_NEW_CODES = f"{new_codes.PATH}/new"
_END_OTHERS = "end_others"
_AS_FILE = {"Content-Disposition": 'attachment; filename="recovery-codes.txt"'}


async def show_app(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """If the setup of an app was begun, show its key and ask for one of its codes; otherwise offer to begin one."""
    new = await begun_totp(env, caller)
    if new is None:
        return app_form(request, shown={"replaces": (await list_factors(env, caller)).totp is not None})
    others = await count_others(env, caller)
    return app_form(request, shown={"key": new.key, "uri": new.uri, "qr": qr_code(new.uri), "others": others})


async def begin_app(request: Request, env: EnvDep, caller: BrowserCaller, _: SessionForm) -> Response:
    """Make the secret of a new app, which is no factor until a code confirms it, and redirect to the page that shows
    it.
    """
    await begin_totp(env, caller)
    return see_other(return_to.with_query(APP, return_to=return_to.allowed_here(request)))


async def confirm_app(
    request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, client_info: ClientInfoDep
) -> Response:
    """Confirm the new app with one of its codes, and show the recovery codes if it is the first factor."""
    try:
        sent = validated(request, bodies.ConfirmTotp, {"code": typed_code(form)})
        added = await confirm_totp_flow(env, caller, sent.code, client_info, end_others=_END_OTHERS in form)
    except BodyInvalid as invalid:
        return app_form(request, 400, faults_of(invalid.entries))
    except WrongCode as refusal:
        return app_form(request, HTTP_MAPPINGS[type(refusal)].status, {"code": WRONG_NEW_CODES[type(refusal)]})
    except FactorUnknown:  # no setup is under way
        return see_other(APP)
    if not added.recovery_codes:
        return see_other(return_to.with_query(SECURITY, notice="app_added"))
    going_to = return_to.allowed_here(request)
    response = see_other(return_to.with_query(new_codes.PATH, notice="app_added", return_to=going_to))
    new_codes.keep(request, response, caller.session_id, added.recovery_codes)
    return response


def app_form(
    request: Request, status: int = 200, faults: dict[str, Sentence] | None = None, shown: dict[str, Any] | None = None
) -> Response:
    """Return the page that sets up an app. `shown` has its variables about an app whose setup was begun. Also called if
    the request was refused for now (429, 503).
    """
    return render.page(request, "authenticator.html", status, faults=faults, **(shown or {}))


async def ask_remove_app(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Ask before removing the app."""
    await ask_for_recent_sign_in(env, caller)
    mine = await list_factors(env, caller)
    others = await count_others(env, caller)
    return render.page(request, "remove_authenticator.html", passkeys=mine.passkeys, others=others)


async def remove_app(
    request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, client_info: ClientInfoDep
) -> Response:
    """Remove the app. An app that was removed already is not an error. If the account must have a factor, the last one
    stays.
    """
    try:
        await remove_totp_flow(env, caller, client_info, end_others=_END_OTHERS in form)
    except FactorUnknown:
        return see_other(SECURITY)
    except LastFactor:
        status, faults = HTTP_MAPPINGS[LastFactor].status, {"app": LAST_FACTOR}
        return render.page(request, "remove_authenticator.html", status, faults=faults)
    return see_other(return_to.with_query(SECURITY, notice="app_removed"))


async def ask_new_codes(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Ask before making new recovery codes."""
    await ask_for_recent_sign_in(env, caller)
    mine = await list_factors(env, caller)
    others = await count_others(env, caller)
    return render.page(request, "new_recovery_codes.html", left=mine.recovery_codes_left, others=others)


async def make_codes(
    request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, client_info: ClientInfoDep
) -> Response:
    """Make new recovery codes, and go to the page that shows them."""
    try:
        codes = await make_recovery_codes(env, caller, client_info, end_others=_END_OTHERS in form)
    except FactorUnknown:
        return see_other(SECURITY)
    response = see_other(new_codes.PATH)
    new_codes.keep(request, response, caller.session_id, codes)
    return response


async def show_codes(request: Request, caller: BrowserCaller) -> Response:
    """Show the codes that were just made; redirect to the offer of new ones if they are no longer kept."""
    codes = new_codes.kept_codes(request, caller)
    return render.page(request, "recovery_codes.html", codes=codes) if codes else see_other(_NEW_CODES)


async def put_codes_away(request: Request, _: SessionForm) -> Response:
    """Delete the cookie with the codes, and go on to where the sign-in that made them was going."""
    response = arrive(request) if return_to.named_by(request) else see_other(SECURITY)
    new_codes.clear(request, response)
    return response


async def download_codes(request: Request, caller: BrowserCaller) -> Response:
    """Return the codes that were just made as a text file; redirect to the offer of new ones if they are no longer
    kept.
    """
    codes = new_codes.kept_codes(request, caller)
    if not codes:
        return see_other(_NEW_CODES)
    return PlainTextResponse("".join(f"{code}\n" for code in codes), headers=_AS_FILE)
