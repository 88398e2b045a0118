"""The choice of a language, kept in a cookie."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.model.languages import LANGUAGES
from vestibule.web import cookies
from vestibule.web.caller import InEnv
from vestibule.web.pages import return_to
from vestibule.web.pages.face import see_other
from vestibule.web.pages.form import read_form


async def choose_language(request: Request, env: InEnv) -> Response:
    """Keep the language, and lead back to where it was chosen."""
    fields = await read_form(request)
    response = see_other(return_to.parsed(fields.get("return_to", ""), ()) or return_to.HOME)
    if fields.get("language") in LANGUAGES:
        cookies.set_language(response, fields["language"], env.clock.now(), request.app.state.web)
    return response
