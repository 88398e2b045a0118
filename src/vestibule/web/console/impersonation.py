"""The pages with which an operator acts as somebody in the browser (`web.operator_session`), and comes back."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.env import Env
from vestibule.flows.identify import identify
from vestibule.flows.impersonate import impersonate
from vestibule.flows.refresh import refresh
from vestibule.flows.sign_out import sign_out
from vestibule.flows.stop_acting import stop_acting
from vestibule.model.errors import RefreshRefused, Refusal
from vestibule.model.operator_errors import CannotBeActedAs, OwnerNotTold
from vestibule.web import cookies, operator_session
from vestibule.web.api.admin.admin_bodies import Impersonate
from vestibule.web.caller import EnvDep, device_of
from vestibule.web.console.act_pages import act_page
from vestibule.web.console.people import PEOPLE
from vestibule.web.console.person import person_with
from vestibule.web.console.words import ACT_AS, WHAT_ACTING_IS, WHY_NOT_DONE
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.operator_session import PutAway
from vestibule.web.pages import return_to
from vestibule.web.pages.browser_session import SessionForm
from vestibule.web.pages.form import read_form, validated
from vestibule.web.pages.route import SIGN_IN, SIGNED_OUT, clear_session_cookies, see_other, set_token_cookies
from vestibule.web.pages.words import faults_of
from vestibule.web.request_context import context_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

END = "/impersonation/end"
_ASKED = {"title": ACT_AS, "question": WHAT_ACTING_IS, "field": "reason", "danger": False}


async def ask(request: Request, env: EnvDep, account_id: str) -> Response:
    """Ask why the operator has to act as this person; raises `PersonUnknown`."""
    return act_page(request, _ASKED, await person_with(env, account_id))


async def begin(request: Request, env: EnvDep, form: SessionForm, operator: ActingOnPage, account_id: str) -> Response:
    """Begin to act as the person, at their profile; raises `PersonUnknown`."""
    person = await person_with(env, account_id)
    try:
        sent = validated(request, Impersonate, form)
        acting = await impersonate(env, operator, account_id, sent.reason)
    except BodyInvalid as invalid:
        return act_page(request, _ASKED, person, HTTP_MAPPINGS[BodyInvalid].status, faults_of(invalid.entries))
    except (CannotBeActedAs, OwnerNotTold) as refused:
        status = HTTP_MAPPINGS[type(refused)].status
        return act_page(request, _ASKED, person, status, {"reason": WHY_NOT_DONE[type(refused)]})
    response = await set_token_cookies(request, see_other(return_to.HOME), acting.tokens)
    back = f"{PEOPLE}/{account_id}"
    kept = PutAway(acting.session.id, acting.account.email, _own_refresh_token(request), back)
    operator_session.put_away(request, response, kept)
    return response


async def end(request: Request, env: EnvDep) -> Response:
    """End the acting, and go back to the person's page in the operator's own session, if that session still lives."""
    await read_form(request)  # a form that cannot be read is refused as every other one
    kept = operator_session.find(request)
    if kept is None:
        return await _end_presented(request, env)
    await stop_acting(env, kept.session_id)
    response = await _come_back(request, env, kept)
    operator_session.forget(request, response)
    return response


async def _come_back(request: Request, env: Env, kept: PutAway) -> Response:
    """Return to the page in the operator's own session; if that has ended, by way of the sign-in. If this browser has
    the cookies of another session by now, leave them alone.
    """
    if operator_session.is_replaced(request, kept):
        return see_other(PEOPLE)
    try:
        refreshed = await refresh(env, kept.refresh_token, await device_of(request))
    except RefreshRefused:
        return await clear_session_cookies(request, see_other(return_to.with_query(SIGN_IN, return_to=kept.back)))
    # Where refresh tokens are not rotated, a refresh returns none, and the one that was put away goes on.
    tokens = replace(refreshed, refresh_token=refreshed.refresh_token or kept.refresh_token)
    return await set_token_cookies(request, see_other(return_to.with_query(kept.back, done="acting-ended")), tokens)


async def _end_presented(request: Request, env: Env) -> Response:
    """End the acting whose access token the API returned and somebody put into this browser. If the browser has no such
    token, another tab was faster, and has brought the operator's session back.
    """
    try:
        caller = await identify(env, cookies.read_access(request.headers.raw, site_of(request).web) or "")
    except Refusal:
        return see_other(PEOPLE)
    if caller.actor_id is None:
        return see_other(PEOPLE)
    await sign_out(env, caller)
    return await clear_session_cookies(request, see_other(SIGNED_OUT))


def _own_refresh_token(request: Request) -> str:
    """Return the operator's newest refresh token: that of this request, if it has just been refreshed."""
    refreshed = context_of(request).refreshed_tokens
    sent = cookies.read_refresh(request.headers.raw, site_of(request).web)
    return (refreshed.refresh_token if refreshed else None) or sent or ""
