"""The outbox on the console: which emails wait or were refused, the mail server's words, and trying them again."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.look_after_mail import count_letters, read_outbox_page, retry_letters
from vestibule.web.api.admin.cursors import letter_position_of
from vestibule.web.caller import EnvDep
from vestibule.web.console.letter_words import LETTER_NAMES
from vestibule.web.console.notices import UNCHANGED, notice_of
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import SessionForm
from vestibule.web.pages.route import see_other

LETTERS = "/admin/letters"
_REFUSED = "refused"


async def show(request: Request, env: EnvDep) -> Response:
    """Show a page of the emails that wait or were refused, or of the refused ones alone. Raises `CursorInvalid`."""
    refused = request.query_params.get("only") == _REFUSED
    page = await read_outbox_page(env, letter_position_of(request.query_params.get("after", "")), refused=refused)
    only = _REFUSED if refused else ""
    return render.page(
        request,
        "console/letters.html",
        letters=page.letters,
        counts=await count_letters(env),
        onward=page.next and return_to.with_query(LETTERS, only=only, after=page.next.to_cursor()),
        only_refused=refused,
        letter_names={kind: render.say(request, name) for kind, name in LETTER_NAMES.items()},
        notice=notice_of(request),
    )


async def retry(env: EnvDep, form: SessionForm, operator: ActingOnPage) -> Response:
    """Try again, at once, the email that the form names, or else all that failed, and go back to the outbox."""
    letter_id = form.get("letter", "")
    count = await retry_letters(env, [letter_id] if letter_id else None, operator)
    return see_other(return_to.with_query(LETTERS, done="retried" if count else UNCHANGED))
