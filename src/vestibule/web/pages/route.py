"""The FastAPI routes of pages: they show refusals as pages, and set the cookies of refreshed tokens."""

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vestibule.flows.begin_session import SignedIn
from vestibule.flows.issue_tokens import Tokens
from vestibule.model.errors import (
    Fault,
    NotSignedIn,
    ReauthenticationRequired,
    RefreshRefused,
    Refusal,
    RetryLater,
    SessionOver,
)
from vestibule.web import cookies, operator_session
from vestibule.web.admission import Handler, admitted
from vestibule.web.caller import env_of, set_device_cookie
from vestibule.web.console.words import WHY_NOT_HERE
from vestibule.web.errors import HTTP_MAPPINGS, refusal_response
from vestibule.web.pages import refused_form, render, return_to
from vestibule.web.pages.browser_session import SESSION_CODE, find_session
from vestibule.web.pages.form import read_form
from vestibule.web.pages.sent_twice import answer_once
from vestibule.web.pages.words import WHEN, WHY_NOT
from vestibule.web.request_context import context_of
from vestibule.web.site import ShowForm, site_of

SEE_OTHER = 303
SIGN_IN, SIGNED_OUT, CHECK_EMAIL_AT, REAUTHENTICATE = "/login", "/signedout", "/checkemail", "/reauthenticate"
SECURITY, REAUTHENTICATED, FACTOR_NEEDED = "/profile/security", "reauthenticated", "factor_needed"
# What a GET downloads as a file. A browser that was sent there after a sign-in would show no page.
_FILES = ("/profile/data", "/admin/events/export")
_KEPT_HEADERS = ("retry-after", "allow")  # the headers that a page copies from the JSON answer to the same refusal


class PageRoute(APIRoute):
    """A route that answers with a page."""

    def get_route_handler(self) -> Handler:
        """Return a handler that also answers refusals as pages, sets the cookies of refreshed tokens, and gives a form
        that is sent twice the same answer. FastAPI calls this once for each route.
        """
        handle = self.page_handler()

        async def answer(request: Request) -> Response:
            refused_form.expect_form(request, self.path)
            return await answer_once(request, self.path, answer_or_refuse)

        async def answer_or_refuse(request: Request) -> Response:
            try:
                return_to.require_short(request.query_params.get("return_to", ""))
                response = await handle(request)
            except (Refusal, Fault) as refusal:
                context_of(request).was_refused = True
                response = await _refused(request, refusal, site_of(request).forms.get(self.path))
            await _renew_cookies(request, response)
            return response

        return answer

    def page_handler(self) -> Handler:
        """Return the page's own handler, which `get_route_handler` wraps."""
        return super().get_route_handler()


class AdmittedPageRoute(PageRoute):
    """A `PageRoute` that hashes a password, and so takes an admission slot (`web.admission`)."""

    def page_handler(self) -> Handler:
        """Return the page's own handler, which takes an admission slot first."""
        return admitted(super().page_handler())


async def refusal_page(request: Request, refusal: Refusal | Fault) -> Response:
    """Return a page that explains the refusal, with a link to the account or to the sign-in."""
    await find_session(request)
    page = _with_headers(_page_for(request, refusal, *_texts(request, refusal)), refusal)
    await _renew_cookies(request, page)
    return page


def unexpected_page(request: Request) -> Response:
    """Return the page for an unexpected exception, with a link home. The page says nothing about the exception."""
    title, message = (render.say(request, text) for text in WHY_NOT[500])
    return render.page(request, "told.html", 500, title=title, message=message)


def see_other(target: str) -> Response:
    """Return a redirect to another page by GET (RFC 9110, section 15.4.4), so that a reload sends nothing twice."""
    return RedirectResponse(target, SEE_OTHER)


async def set_session_cookies(request: Request, response: Response, outcome: SignedIn) -> Response:
    """Return the response with the cookies of a new session."""
    set_device_cookie(request, response, await env_of(request), outcome.device)
    operator_session.forget(request, response)
    return await set_token_cookies(request, response, outcome.tokens)


async def set_token_cookies(request: Request, response: Response, tokens: Tokens) -> Response:
    """Return the response with the cookies of new tokens."""
    now = (await env_of(request)).clock.now()
    cookies.set_tokens(response, tokens, now, site_of(request).web)
    return response


async def clear_session_cookies(request: Request, response: Response) -> Response:
    """Return the response with the cookies of an ended session deleted."""
    cookies.clear(response, (await env_of(request)).clock.now(), site_of(request).web)
    return response


def _wanted(request: Request) -> str:
    """Return the page to show after a sign-in: the one that was asked for, but `HOME` after a form. If it was the page
    that asks to sign in again, return the target of that page instead.
    """
    if request.method != "GET":
        return return_to.HOME
    return return_to.target_of(request) if request.url.path == REAUTHENTICATE else request.url.path


async def _refused(request: Request, refusal: Refusal | Fault, show_form: ShowForm | None) -> Response:
    if isinstance(refusal, NotSignedIn):
        return see_other(return_to.with_query(SIGN_IN, return_to=return_to.as_parameter(_wanted(request))))
    if isinstance(refusal, SessionOver | RefreshRefused):
        # Do not delete the cookies: by now they may be another tab's new ones. The next page looks at them again.
        return see_other(return_to.with_query(SIGNED_OUT, reason=refusal.code.removeprefix(SESSION_CODE)))
    if isinstance(refusal, ReauthenticationRequired):
        return _set_up_factor(request) if refusal.enrol_at else _sign_in_again(request)
    if isinstance(refusal, Refusal):  # after a fault, the look-up may fail too
        await find_session(request)
    title, message = _texts(request, refusal)
    if show_form is not None and isinstance(refusal, RetryLater | Fault) and await _can_show_form(request):
        context_of(request).trouble = f"{title}. {message}"
        page = show_form(request, HTTP_MAPPINGS[type(refusal)].status)
    else:
        page = _page_for(request, refusal, title, message)
    return _with_headers(page, refusal)


def _sign_in_again(request: Request) -> Response:
    """Ask a signed-in user to sign in again, because the last sign-in is too old for what they asked."""
    path = request.url.path
    is_page = request.method == "GET" and path not in _FILES
    target = context_of(request).form_page or (path if is_page else SECURITY)
    if path.startswith(REAUTHENTICATE):  # what was proved there is not enough
        target = return_to.as_parameter(return_to.target_of(request))
    return see_other(return_to.with_query(REAUTHENTICATE, return_to=target))


def _set_up_factor(request: Request) -> Response:
    """Lead to where the first second factor is set up, and from there back: without one, signing in again would not
    help.
    """
    wanted = request.url.path if request.method == "GET" else ""
    return see_other(return_to.with_query(SECURITY, notice=FACTOR_NEEDED, return_to=wanted))


def _texts(request: Request, refusal: Refusal | Fault) -> tuple[str, str]:
    """Return the title and the message for a refusal, in the reader's language."""
    known = WHY_NOT_HERE.get(type(refusal)) or WHY_NOT[HTTP_MAPPINGS[type(refusal)].status]
    title, message = (render.say(request, text) for text in known)
    if isinstance(refusal, RetryLater):
        message = f"{message} {render.say(request, WHEN, when=_waiting_time(request, refusal))}"
    return title, message


def _page_for(request: Request, refusal: Refusal | Fault, title: str, message: str) -> Response:
    status = HTTP_MAPPINGS[type(refusal)].status
    return render.page(request, "told.html", status, title=title, message=message)


def _with_headers(page: Response, refusal: Refusal | Fault) -> Response:
    headers = refusal_response(refusal).headers if page.status_code != SEE_OTHER else {}
    page.headers.update({name: headers[name] for name in _KEPT_HEADERS if name in headers})
    return page


def _waiting_time(request: Request, refusal: RetryLater) -> str:
    return render.waiting_time(request, refusal.retry_after_seconds)


async def _can_show_form(request: Request) -> bool:
    """Return whether the form can be shown again; read its fields if nobody has. A form on a profile page also needs
    the caller, whom only the guard of the route looks up.
    """
    if request.url.path.startswith(return_to.HOME):
        return context_of(request).caller is not None
    try:
        if context_of(request).form_values is None:  # a rate limit refuses before the form is read
            await read_form(request)
    except Refusal:
        return False
    return True


async def _renew_cookies(request: Request, response: Response) -> None:
    """Set the cookies of refreshed tokens, or delete those of an ended session, unless the handler has set others."""
    context = context_of(request)
    access = cookies.name_of(cookies.ACCESS, site_of(request).web)
    has_newer = any(value.startswith(f"{access}=") for value in response.headers.getlist("set-cookie"))
    if has_newer:
        return
    if context.refreshed_tokens is not None:
        await set_token_cookies(request, response, context.refreshed_tokens)
    elif context.session_over:
        await clear_session_cookies(request, response)
