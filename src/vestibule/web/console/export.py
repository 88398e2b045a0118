"""The page that exports what is stored about a person: it asks before, and its button downloads the file."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.web.api.admin.export import exported
from vestibule.web.caller import EnvDep
from vestibule.web.console.people import PEOPLE
from vestibule.web.console.person import person_with
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.pages import render
from vestibule.web.pages.browser_session import SessionForm


async def ask(request: Request, env: EnvDep, account_id: str) -> Response:
    """Ask before the data is exported; raises `PersonUnknown`."""
    account = (await person_with(env, account_id)).account
    whose = {"name": account.name, "email": account.email}
    return render.page(request, "console/export.html", whose=whose, person_at=f"{PEOPLE}/{account.id}")


async def export(env: EnvDep, _form: SessionForm, operator: ActingOnPage, account_id: str) -> Response:
    """Record the export, and return the file; raises `PersonUnknown`."""
    return await exported(env, operator, (await person_with(env, account_id)).account)
