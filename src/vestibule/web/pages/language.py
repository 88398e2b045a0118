"""Choose a language. It is stored in a cookie, and for a signed-in user also in the account, for emails."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.choose_language import choose_language as choose_language_flow
from vestibule.model.languages import LANGUAGES
from vestibule.web import cookies
from vestibule.web.caller import EnvDep
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import OptionalBrowserCaller
from vestibule.web.pages.form import read_form
from vestibule.web.pages.no_cookies import keeps_none
from vestibule.web.pages.route import see_other
from vestibule.web.pages.words import NOTHING_CHANGED
from vestibule.web.site import site_of


async def choose_language(request: Request, env: EnvDep, caller: OptionalBrowserCaller) -> Response:
    """Store the language, and go back to the page where it was chosen."""
    fields = await read_form(request)
    if keeps_none(request):  # the browser keeps no cookies, and the page says so
        return render.page(request, "told.html", 400, title=render.say(request, NOTHING_CHANGED), message="")
    response = see_other(return_to.allowed_target(fields.get("return_to", ""), ()) or return_to.HOME)
    if fields.get("language") in LANGUAGES:
        cookies.set_language(response, fields["language"], env.clock.now(), site_of(request).web)
        if caller is not None:
            await choose_language_flow(env, caller, fields["language"])
    return response
