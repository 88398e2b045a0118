"""The first page of the console: its parts, who you are, and what you may do."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.admit_operator import counts_until
from vestibule.web.caller import EnvDep
from vestibule.web.console.parts import parts_for
from vestibule.web.console.words import WHAT_ROLES_DO
from vestibule.web.pages import render
from vestibule.web.pages.browser_session import BrowserCaller
from vestibule.web.request_context import context_of


async def start(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Show the parts that the caller may open, who is signed in, what the role permits, and until when the sign-in
    counts.
    """
    permitted = context_of(request).permissions
    return render.page(
        request,
        "console/start.html",
        parts=await parts_for(request, env, permitted),
        what=render.say(request, WHAT_ROLES_DO[caller.account.role]),
        permitted=sorted(permitted),
        until=counts_until(caller),
    )
