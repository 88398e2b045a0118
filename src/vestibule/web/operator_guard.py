"""Admit operators: the guards of the lines of the URL map that name a permission, and the `Operator` for handlers.

Here, `acting` means the operator who does what the request asks for, not one who acts as somebody else.
"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from vestibule.flows.admit_operator import admit_operator
from vestibule.flows.identify import Caller
from vestibule.model.operators import Operator
from vestibule.model.permissions import OF_ROLE, Permission
from vestibule.protocol import other_sites
from vestibule.web.caller import EnvDep, SignedInCaller, network_address
from vestibule.web.map_lines import Guard
from vestibule.web.pages.browser_session import BrowserCaller, page_holder
from vestibule.web.request_context import context_of
from vestibule.web.request_errors import CrossSite

_READ = {"GET", "HEAD"}


def operator(permission: Permission) -> Guard:
    """Return the guard of a route of the API. The guard raises what `signed_in` and `admit_operator` raise, and
    `CrossSite` if a page of another origin sent the request. Listed origins are refused too: a script in a front-end
    must not act as the operator who is signed in.
    """

    async def admit(request: Request, env: EnvDep, caller: SignedInCaller) -> None:
        if other_sites.from_elsewhere(request.headers.raw, origins=()):
            raise CrossSite
        await admit_operator(env, caller, permission)

    return admit


def page_operator(permission: Permission) -> Guard:
    """Return the guard of a page. The guard raises what `browser_session`, `page_holder` and `admit_operator` raise,
    and notes the caller's permissions for the page. Raises `CrossSite` for a form that a page of another origin sent,
    as `operator` does. The refresh token is asked for to read a page too: its forms have the secret that ties them to
    the session, and services have access tokens.
    """

    async def admit(request: Request, env: EnvDep, caller: BrowserCaller) -> None:
        if request.method not in _READ and other_sites.from_elsewhere(request.headers.raw, origins=()):
            raise CrossSite
        await page_holder(request, caller)
        await admit_operator(env, caller, permission)
        context_of(request).permissions = OF_ROLE[caller.account.role]

    return admit


async def acting(request: Request, caller: SignedInCaller) -> Operator:
    """Return the operator who sent a request to the API."""
    return await _operator(request, caller)


async def acting_on_page(request: Request, caller: BrowserCaller) -> Operator:
    """Return the operator who sent a form of the console."""
    return await _operator(request, caller)


async def _operator(request: Request, caller: Caller) -> Operator:
    return Operator(caller.account.id, caller.session_id, await network_address(request))


ActingOperator = Annotated[Operator, Depends(acting)]
ActingOnPage = Annotated[Operator, Depends(acting_on_page)]
