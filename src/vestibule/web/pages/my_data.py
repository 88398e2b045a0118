"""Pages to export one's data and to delete one's account."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vestibule.flows.delete_account import delete_my_account
from vestibule.flows.env import Env
from vestibule.flows.my_data import MyData, my_data
from vestibule.flows.reauthenticate import ask_for_recent_factor
from vestibule.model.errors import WrongPassword
from vestibule.model.events import Event
from vestibule.model.sessions import Session
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
    return StreamingResponse(_json_parts(await my_data(env, caller)), media_type=Json.media_type, headers=_AS_FILE)


async def ask_delete(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Ask for the password before deleting the account."""
    await ask_for_recent_factor(env, caller)
    return delete_form(request)


def delete_form(request: Request, status: int = 200, faults: dict[str, Sentence] | None = None) -> Response:
    """Return the form that asks for the password before deleting the account."""
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


async def _json_parts(mine: MyData) -> AsyncIterator[str]:
    """Yield the text of one JSON object in parts, with each record on a line of its own. The lists are read from the
    database page by page, while the parts before are sent.
    """
    account = asdict(mine.account)
    del account["password_hash"]
    yield f'{{\n"account": {_as_json(account)},\n"factors": {_as_json(_factors(mine))}'
    async for part in _list_parts("live", mine.live):
        yield part
    async for part in _list_parts("past", mine.past):
        yield part
    async for part in _list_parts("events", mine.events):
        yield part
    yield "\n}\n"


def _factors(mine: MyData) -> dict[str, Any]:
    """Return the second factors, without what signs in: neither the secret of the app nor a code."""
    totp = mine.factors.totp
    shown = ("created_at", "confirmed_at", "last_used_at")
    app = {name: getattr(totp, name) for name in shown} if totp else None
    passkeys = [asdict(passkey) for passkey in mine.passkeys]
    return {"totp": app, "recovery_codes_left": mine.factors.recovery_codes_left, "passkeys": passkeys}


async def _list_parts(
    name: str, pages: AsyncIterator[Sequence[Session]] | AsyncIterator[Sequence[Event]]
) -> AsyncIterator[str]:
    """Yield the text of the member `name`, whose value is a list of the records in these pages."""
    yield f',\n"{name}": [\n'
    separator = ""
    async for page in pages:
        yield separator + ",\n".join(_as_json(asdict(record)) for record in page)
        separator = ",\n"
    yield "\n]" if separator else "]"


def _as_json(members: dict[str, Any]) -> str:
    return json.dumps(members, default=_as_text, ensure_ascii=False)


def _as_text(value: Any) -> str:
    """Return a time as text, for `json.dumps`; raises `TypeError` for any other type."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))
