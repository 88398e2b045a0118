"""The keys of services on the console: list, create and revoke them. A new key is shown once, on the page that follows.

On its way there, the key is in a sealed cookie of the operator's session, as new recovery codes are
(`pages.new_codes`). It is not shown in the answer to the form, because a second click would lose it: a form that is
sent twice gets the same answer twice only if that is a redirect (`pages.sent_twice`).
"""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.service_keys import create_service_key, list_service_keys, revoke_service_key
from vestibule.model.operator_errors import ServiceUnknown
from vestibule.model.service_keys import MAX_NAME, is_service_name
from vestibule.translations.marking import _
from vestibule.web import cookies
from vestibule.web.caller import EnvDep
from vestibule.web.console.notices import notice_of
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import BrowserCaller, SessionForm
from vestibule.web.pages.route import see_other
from vestibule.web.pages.sealed_cookie import SealedCookie
from vestibule.web.pages.words import Sentence

SERVICES = "/admin/services"
CREATED = f"{SERVICES}/created"
_WRONG, _CONFLICT = 400, 409
_NO_NAME: Sentence = (
    _("Use a-z, 0-9, and . _ - between them, %(count)s characters at the most."),
    {"count": MAX_NAME},
)
_TAKEN: Sentence = (_("This service has a key already. Create one under another name, then revoke this one."), {})
_SHOWN_SECONDS = 60
_COOKIE = SealedCookie(cookies.SERVICE_KEY, _SHOWN_SECONDS, max_characters=1000)


async def show(request: Request, env: EnvDep) -> Response:
    """Show the services that have a key."""
    services, notice = await list_service_keys(env), notice_of(request)
    return render.page(request, "console/services.html", services=services, notice=notice)


async def ask_create(request: Request) -> Response:
    """Ask for the name of the service that gets a key."""
    return render.page(request, "console/new_service.html")


async def create(request: Request, env: EnvDep, form: SessionForm, operator: ActingOnPage) -> Response:
    """Create a key, and go to the page that shows it."""
    name = form.get("name", "").strip()
    if not is_service_name(name):
        return render.page(request, "console/new_service.html", _WRONG, faults={"name": _NO_NAME})
    key = await create_service_key(env, name, operator)
    if key is None:
        return render.page(request, "console/new_service.html", _CONFLICT, faults={"name": _TAKEN})
    response = see_other(CREATED)
    sealed = _COOKIE.seal(request, operator.session_id or "", {"name": name, "key": key})
    _COOKIE.set(request, response, sealed, CREATED)
    return response


async def show_created(request: Request, caller: BrowserCaller) -> Response:
    """Show the new key, this once. Without a key to show, redirect to the services."""
    kept = _COOKIE.open(request, caller.session_id)
    if kept is None:
        return see_other(SERVICES)
    response = render.page(request, "console/service_key.html", service=kept["name"], key=kept["key"])
    _COOKIE.clear(request, response, CREATED)
    return response


async def ask_revoke(request: Request, env: EnvDep, name: str) -> Response:
    """Ask before a key is revoked; raises `ServiceUnknown`."""
    if name not in {key.name for key in await list_service_keys(env)}:
        raise ServiceUnknown
    return render.page(request, "console/revoke.html", service=name)


async def revoke(env: EnvDep, _form: SessionForm, operator: ActingOnPage, name: str) -> Response:
    """Revoke a key, and go back to the services; raises `ServiceUnknown`."""
    if not is_service_name(name) or not await revoke_service_key(env, name, operator):
        raise ServiceUnknown
    return see_other(return_to.with_query(SERVICES, done="revoked"))
