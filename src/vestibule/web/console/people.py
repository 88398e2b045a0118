"""Find people on the console: one field, and a table of the accounts that were found."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.find_people import find_people
from vestibule.flows.see_person import probably_meant
from vestibule.model.permissions import OF_ROLE, Permission
from vestibule.model.reasons import ProbablyTypo
from vestibule.web.api.admin.cursors import position_of
from vestibule.web.caller import EnvDep
from vestibule.web.console import why_words
from vestibule.web.console.new_people import WAYS
from vestibule.web.console.notices import notice_of
from vestibule.web.console.say import said
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import BrowserCaller

PEOPLE = "/admin/people"


async def search(request: Request, env: EnvDep, caller: BrowserCaller) -> Response:
    """Show a page of the accounts whose email or name begins with the text that was searched for, or whose id it is. If
    there is none, show the account that was probably made with this email mistyped, and a way to correct its email.
    Raises `CursorInvalid`.
    """
    typed = request.query_params.get("search", "").strip()
    found = await find_people(env, typed, position_of(request.query_params.get("after", "")))
    onward = found.next and return_to.with_query(PEOPLE, search=typed, after=found.next.to_cursor())
    typo = None if found.accounts or not typed else await probably_meant(env, typed)
    return render.page(
        request,
        "console/people.html",
        typed=typed,
        people=[typo.other] if typo else found.accounts,
        why=said(request, why_words.sentence(typo)) if typo else "",
        mend_at=_mend_at(typo, typed) if typo else "",
        onward=onward,
        notice=notice_of(request),
        ways=WAYS if Permission.PEOPLE_CHANGE in OF_ROLE[caller.account.role] else (),
    )


def _mend_at(typo: ProbablyTypo, typed: str) -> str:
    """Return the page that gives the account the email that was typed."""
    return return_to.with_query(f"{PEOPLE}/{typo.other.id}/set-email", to=typed)
