"""Find the user of a page by the cookies. If the access token has expired, exchange the refresh token.

Pages have no script that could refresh tokens, so the guards here do it, with the refresh token in the cookie. They use
the same flow as the API, which allows for tabs that refresh at once. `route.PageRoute` sets the new cookies.
"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from vestibule.crypto import bound_tokens
from vestibule.flows.check_session import check_session
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller, identify
from vestibule.flows.refresh import refresh
from vestibule.flows.require_holder import require_holder
from vestibule.model.errors import AccessTokenInvalid, Fault, NotSignedIn, RefreshRefused, Refusal, SessionOver
from vestibule.model.factor_errors import RefreshTokenRequired
from vestibule.model.operator_errors import NotWhileActing
from vestibule.web import cookies
from vestibule.web.caller import device_of, env_of
from vestibule.web.pages.form import read_form
from vestibule.web.prefetch import is_prefetch
from vestibule.web.request_context import context_of
from vestibule.web.request_errors import CrossSite, FetchedAhead
from vestibule.web.site import site_of

TOKEN_FIELD = "csrf"
SESSION_CODE = "session_"  # how the codes of ended sessions begin


async def browser_session(request: Request) -> Caller:
    """Return the caller, after a refresh if the access token has expired. Raises `SessionOver`, and what `_refreshed`
    raises.
    """
    env = await env_of(request)
    try:
        caller = await identify(env, cookies.read_access(request.headers.raw, site_of(request).web) or "")
    except AccessTokenInvalid:  # expired, or missing: browsers delete an expired cookie
        caller = await _refreshed(request, env)
    context_of(request).caller = caller
    return caller


async def page_holder(request: Request, caller: Annotated[Caller, Depends(browser_session)]) -> None:
    """Raise `NotSignedIn` unless the browser has the refresh token of the caller's session too, or has just used it."""
    if context_of(request).refreshed_tokens is not None:
        return
    try:
        refresh_token = cookies.read_refresh(request.headers.raw, site_of(request).web)
        await require_holder(await env_of(request), caller, refresh_token or "")
    except RefreshTokenRequired:
        raise NotSignedIn from None


async def optional_browser_session(request: Request) -> Caller | None:
    """Return the caller; None if nobody is signed in. Also None with an access token alone: otherwise the sign-in page
    and a page that needs the refresh token would redirect to each other. Raises `FetchedAhead`.
    """
    try:
        caller = await browser_session(request)
        await page_holder(request, caller)
    except FetchedAhead:
        raise
    except Refusal as refusal:
        _note_refusal(request, refusal)
        context_of(request).caller = None
        return None
    return caller


async def find_session(request: Request) -> None:
    """Note in the request's context whether the browser has a live session, and whose. Never refuses, and renews no
    token. Notes nothing if the database cannot be reached.
    """
    context, raw, web = context_of(request), request.headers.raw, site_of(request).web
    if context.caller is not None:
        return
    try:
        env, access, refresh_token = (
            await env_of(request),
            cookies.read_access(raw, web),
            cookies.read_refresh(raw, web),
        )
        context.session_account = await check_session(env, access or "", refresh_token or "")
    except Refusal as refusal:
        _note_refusal(request, refusal)
    except Fault:
        return
    else:
        context.has_session = True


async def session_form(request: Request, caller: Annotated[Caller, Depends(browser_session)]) -> dict[str, str]:
    """Return the fields of a form. Raises `CrossSite` unless its hidden field ties it to this session."""
    fields = await read_form(request)
    env = await env_of(request)
    if not bound_tokens.belongs(fields.pop(TOKEN_FIELD, ""), env.keys.refresh.form_key, caller.session_id):
        raise CrossSite
    return fields


def form_token(env: Env, caller: Caller) -> str:
    """Return the value of a form's hidden field `csrf`, which ties it to this session."""
    return bound_tokens.mint(env.keys.refresh.form_key, caller.session_id)


def _note_refusal(request: Request, refusal: Refusal) -> None:
    """Note that the browser has no live session, and if it had one, why that session ended. `NotWhileActing` alone says
    that the browser has a live session: one in which an operator acts.
    """
    context = context_of(request)
    context.has_session = isinstance(refusal, NotWhileActing)
    if isinstance(refusal, SessionOver | RefreshRefused) and refusal.code.startswith(SESSION_CODE):
        context.session_over = refusal.code


async def _refreshed(request: Request, env: Env) -> Caller:
    """Return the caller after a refresh; raises `NotSignedIn`, `FetchedAhead`, `RefreshRefused` or `Overloaded`."""
    refresh_token = cookies.read_refresh(request.headers.raw, site_of(request).web)
    if not refresh_token or request.method == "HEAD":  # HEAD must not change anything
        raise NotSignedIn
    if is_prefetch(request.headers.raw):  # `NotSignedIn` redirects, and the browser may store that for later
        raise FetchedAhead
    tokens = await refresh(env, refresh_token, await device_of(request))
    context_of(request).refreshed_tokens = tokens
    return await identify(env, tokens.access_token)


BrowserCaller = Annotated[Caller, Depends(browser_session)]
OptionalBrowserCaller = Annotated[Caller | None, Depends(optional_browser_session)]
SessionForm = Annotated[dict[str, str], Depends(session_form)]
