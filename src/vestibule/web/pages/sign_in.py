"""The pages for signing in and out."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.passkey_sign_in import sign_in_with_passkey
from vestibule.flows.sign_in import sign_in as sign_in_flow
from vestibule.model.errors import EmailNotVerified, WrongCredentials
from vestibule.model.sessions import EndReason
from vestibule.web import cookies, operator_session
from vestibule.web.api import bodies
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages import refused_form, render, return_to, sent_letter
from vestibule.web.pages.account_words import IF_NOT_YOU, LINKED_TO_RESET, WHY_OVER
from vestibule.web.pages.arrival import arrive
from vestibule.web.pages.browser_session import SESSION_CODE, OptionalBrowserCaller
from vestibule.web.pages.form import form_values, read_form, sent_credential, validated
from vestibule.web.pages.no_cookies import keeps_none
from vestibule.web.pages.outcome import lead_on
from vestibule.web.pages.passkey_form import PASSKEY_REFUSALS, refused_passkey
from vestibule.web.pages.route import SIGNED_OUT, clear_session_cookies, see_other, set_session_cookies
from vestibule.web.pages.words import AFTER_LINKS, NO_PASSWORD, WRONG_CREDENTIALS, Sentence, faults_of
from vestibule.web.request_context import context_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.signing_out import SigningOutOnPage
from vestibule.web.site import site_of

ACCOUNT_GONE = "deleted"
"""The reason that `/signedout` is given after its reader has deleted the account."""
_REASONS = {reason.value: reason for reason in EndReason}


async def go_to_profile() -> Response:
    """Redirect from `/` to the profile."""
    return see_other(return_to.HOME)


async def ask_sign_in(request: Request, caller: OptionalBrowserCaller) -> Response:
    """Ask for email and password. Redirect a signed-in user, unless a refused form is to be shown first."""
    target = return_to.target_of(request)
    if caller is None or refused_form.waiting(request):
        return _sign_in_page(request, target)
    notice = request.query_params.get("notice", "")
    return arrive(request, notice if notice in AFTER_LINKS else "")  # no other notice is true of a signed-in user


async def sign_in(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Begin a session, set its cookies, and redirect to `return_to`; or to the page that asks for, or sets up, a second
    factor.
    """
    fields = await read_form(request)
    target = return_to.target_of(request)
    if keeps_none(request):  # the browser keeps no cookies, and the page says so
        return _sign_in_page(request, target, 400)
    try:
        sent = validated(request, bodies.Login, fields)
        previous_token = cookies.read_refresh(request.headers.raw, site_of(request).web) or ""
        outcome = await sign_in_flow(env, sent.email, sent.password, client_info, previous_token)
    except BodyInvalid as invalid:
        return _sign_in_page(request, target, 400, _faults(invalid))
    except WrongCredentials:
        # Offer another verification link after every wrong sign-in. If only unverified accounts had the offer, it would
        # reveal them.
        offer_link_to = sent.email if env.policy.conceals_unverified else ""
        status = HTTP_MAPPINGS[WrongCredentials].status
        return _sign_in_page(request, target, status, {"password": WRONG_CREDENTIALS}, perhaps_unverified=offer_link_to)
    except EmailNotVerified:
        return _sign_in_page(request, target, HTTP_MAPPINGS[EmailNotVerified].status, unverified=sent.email)
    return await lead_on(request, outcome)


async def use_passkey(request: Request, env: EnvDep, client_info: ClientInfoDep) -> Response:
    """Begin a session with the passkey that the script has asked the browser for, and redirect to `return_to`."""
    fields, headers, web = await read_form(request), request.headers.raw, site_of(request).web
    kept, previous_token = cookies.read_ceremony(headers, web), cookies.read_refresh(headers, web) or ""
    try:
        outcome = await sign_in_with_passkey(env, sent_credential(request, fields), kept, client_info, previous_token)
    except PASSKEY_REFUSALS as refusal:
        status = HTTP_MAPPINGS[type(refusal)].status
        return _sign_in_page(request, return_to.target_of(request), status, **refused_passkey(request, refusal))
    response = await set_session_cookies(request, arrive(request), outcome)
    cookies.clear_ceremony(response, env.clock.now(), web)
    return response


def sign_in_form(request: Request, status: int) -> Response:
    """Return the sign-in form again, with what was typed except the password, after a request that was refused for now
    (429, 503). The URL map names this function.
    """
    return _sign_in_page(request, return_to.target_of(request), status)


async def sign_out(request: Request, env: EnvDep, caller: SigningOutOnPage) -> Response:
    """End this session, delete the `return_to` cookie, and redirect to the page that says so."""
    await operator_session.sign_out_here(request, env, caller)
    response = see_other(return_to.with_query(SIGNED_OUT, reason=EndReason.SIGNED_OUT.value))
    cookies.clear_return_to(response, env.clock.now(), site_of(request).web)
    operator_session.forget(request, response)
    return await clear_session_cookies(request, response)


async def signed_out(request: Request, caller: OptionalBrowserCaller) -> Response:
    """Say why the user is no longer signed in. After the account was deleted, offer no sign-in."""
    if caller is not None:
        return see_other(return_to.HOME)
    reason = request.query_params.get("reason", "")
    return render.page(
        request,
        "signed_out.html",
        why=_why_over(request, reason),
        gone=reason == ACCOUNT_GONE,
        names_reset=_REASONS.get(reason) in LINKED_TO_RESET,
    )


def _why_over(request: Request, named: str) -> str:
    """Return why a session ended, and what to do if that was somebody else; empty if the reason is unknown."""
    reason = _REASONS.get(named)
    if reason is None:
        return ""
    return " ".join(render.say(request, texts[reason]) for texts in (WHY_OVER, IF_NOT_YOU) if reason in texts)


def _why_asked(request: Request) -> str:
    """Return why the session of this browser ended, if the page says nothing else: no refusal and no notice."""
    has_other_message = request.method != "GET" or "notice" in request.query_params
    return "" if has_other_message else _why_over(request, context_of(request).session_over.removeprefix(SESSION_CODE))


def _sign_in_page(
    request: Request,
    target: str,
    status: int = 200,
    faults: dict[str, Sentence] | None = None,
    unverified: str = "",
    perhaps_unverified: str = "",
    values: dict[str, str] | None = None,
    unknown_passkey: dict[str, str] | None = None,
) -> Response:
    return render.page(
        request,
        "sign_in.html",
        status,
        faults=faults,
        unknown_passkey=unknown_passkey,
        return_to=return_to.as_parameter(target),
        values=values or form_values(request) or _values_of_link(request),
        unverified=unverified,
        perhaps_unverified=perhaps_unverified,
        why=_why_asked(request),
        offers_passkeys=site_of(request).policy.relying_party is not None,
        offers_codes=site_of(request).policy.email_codes,
    )


def _values_of_link(request: Request) -> dict[str, str]:
    """Return the variable `values` after a mailed link was used: the email that it was mailed to."""
    sent = sent_letter.sent_letter(request) if request.query_params.get("notice") in AFTER_LINKS else None
    return {"email": sent.email} if sent else {}


def _faults(invalid: BodyInvalid) -> dict[str, Sentence]:
    """Return the faults by field. A password that is too short is called wrong, as every other wrong password is."""
    faults = faults_of(invalid.entries)
    if "password" in faults:
        missing = any(entry["path"][-1] == "password" and entry["code"] == "invalid_type" for entry in invalid.entries)
        faults["password"] = NO_PASSWORD if missing else WRONG_CREDENTIALS
    return faults
