"""The first page of the console: who you are, and what you may do."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.admit_operator import counts_until
from vestibule.model.permissions import OF_ROLE
from vestibule.web.console.words import WHAT_ROLES_DO
from vestibule.web.pages import render
from vestibule.web.pages.browser_session import BrowserCaller


async def start(request: Request, caller: BrowserCaller) -> Response:
    """Show who is signed in, what the role permits, and until when the sign-in counts."""
    role = caller.account.role
    return render.page(
        request,
        "console/start.html",
        what=render.say(request, WHAT_ROLES_DO[role]),
        permissions=sorted(OF_ROLE[role]),
        until=counts_until(caller),
    )
