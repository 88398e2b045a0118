"""The pages that export the signed-in user's data, and delete their account."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vestibule.flows.data_as_json import data_as_json
from vestibule.flows.delete_account import delete_my_account
from vestibule.flows.env import Env
from vestibule.flows.my_data import my_data
from vestibule.flows.reauthenticate import ask_for_recent_factor
from vestibule.model.errors import WrongPassword
from vestibule.web import cookies
from vestibule.web.api import bodies
from vestibule.web.caller import ClientInfoDep, EnvDep
from vestibule.web.errors import HTTP_MAPPINGS, Json
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import BrowserCaller, SessionForm
from vestibule.web.pages.form import validated
from vestibule.web.pages.route import SIGNED_OUT, clear_session_cookies, see_other
from vestibule.web.pages.sign_in import ACCOUNT_GONE
from vestibule.web.pages.words import WRONG_PASSWORD, Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

_AS_FILE = {"Content-Disposition": 'attachment; filename="my-data.json"'}


async def download(env: EnvDep, caller: BrowserCaller) -> Response:
    """Stream everything that is stored about the caller, as a JSON file."""
    return StreamingResponse(data_as_json(await my_data(env, caller)), media_type=Json.media_type, headers=_AS_FILE)


async def ask_delete(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Ask for the password before deleting the account."""
    await ask_for_recent_factor(env, caller)
    return delete_form(request)


def delete_form(request: Request, status: int = 200, faults: dict[str, Sentence] | None = None) -> Response:
    """Return the form that asks for the password before deleting the account. Also called if the request was refused
    for now (429, 503).
    """
    return render.page(request, "delete.html", status, faults=faults)


async def delete(
    request: Request, env: EnvDep, caller: BrowserCaller, form: SessionForm, client_info: ClientInfoDep
) -> Response:
    """Delete the account, after checking its password."""
    try:
        sent = validated(request, bodies.DeleteAccount, form)
        await delete_my_account(env, caller, sent.current_password, client_info)
    except BodyInvalid as invalid:
        return delete_form(request, 400, faults_of(invalid.entries))
    except WrongPassword:
        return delete_form(request, HTTP_MAPPINGS[WrongPassword].status, {"currentPassword": WRONG_PASSWORD})
    return await clear_session_cookies(request, _say_goodbye(request, env))


def _say_goodbye(request: Request, env: Env) -> Response:
    """Redirect to the page that says goodbye. It leads back to an app, but no longer to a page of the account."""
    response = see_other(return_to.with_query(SIGNED_OUT, reason=ACCOUNT_GONE))
    if not return_to.origin_of(return_to.target_of(request)):
        cookies.clear_return_to(response, env.clock.now(), site_of(request).web)
    return response
