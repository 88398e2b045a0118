"""Who is using a page, by cookies alone. An expired access token signs nobody out.

A page has no script to refresh its tokens, so that is done here with the refresh token in the cookie: by the API's
flow, so that ten tabs at once all get the same successor. `route.PageRoute` sets the new cookies.
"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from vestibule.crypto import bound_tokens
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller, identify
from vestibule.flows.refresh import refresh
from vestibule.model.errors import AccessTokenInvalid, NotSignedIn, Refusal
from vestibule.web import cookies
from vestibule.web.caller import device_of, env_of
from vestibule.web.errors import CrossSite, FetchedAhead
from vestibule.web.pages.form import read_form
from vestibule.web.prefetch import is_ahead
from vestibule.web.request_context import context_of
from vestibule.web.site import site_of

TOKEN_FIELD = "csrf"


async def browser_session(request: Request) -> Caller:
    """Return the caller; raises `NotSignedIn`, `SessionOver` or `RefreshRefused`."""
    env = await env_of(request)
    try:
        caller = await identify(env, cookies.read_access(request.headers.raw, site_of(request).web) or "")
    except AccessTokenInvalid:  # expired, or deleted by the browser when it expired
        caller = await _renewed(request, env)
    context_of(request).caller = caller
    return caller


async def perhaps_browser_session(request: Request) -> Caller | None:
    """Return the caller, or None if nobody is signed in; raises `FetchedAhead`."""
    try:
        return await browser_session(request)
    except FetchedAhead:
        raise
    except Refusal:
        return None


async def session_form(request: Request, caller: Annotated[Caller, Depends(browser_session)]) -> dict[str, str]:
    """Return the fields of a form that our page made for this session; raises `CrossSite` for any other form."""
    fields = await read_form(request)
    env = await env_of(request)
    if not bound_tokens.belongs(fields.pop(TOKEN_FIELD, ""), _key(env), caller.session_id):
        raise CrossSite
    return fields


def form_token(env: Env, caller: Caller) -> str:
    """Return the hidden field of a form for this session."""
    return bound_tokens.mint(_key(env), caller.session_id)


async def _renewed(request: Request, env: Env) -> Caller:
    """Return the caller after a refresh; raises `NotSignedIn`, `FetchedAhead`, `RefreshRefused` or `Overloaded`."""
    refresh_token = cookies.read_refresh(request.headers.raw, site_of(request).web)
    if not refresh_token or request.method == "HEAD":  # HEAD must not change anything
        raise NotSignedIn
    if is_ahead(request.headers.raw):  # the browser would keep a redirect, and ask a signed-in user to sign in
        raise FetchedAhead
    tokens = await refresh(env, refresh_token, await device_of(request))
    context_of(request).renewed = tokens
    return await identify(env, tokens.access_token)


def _key(env: Env) -> bytes:
    """Return the key of form tokens, the same in every process, and stored nowhere."""
    return bound_tokens.key_from(env.keys.refresh.signing.to_pem())


BrowserSession = Annotated[Caller, Depends(browser_session)]
PerhapsBrowserSession = Annotated[Caller | None, Depends(perhaps_browser_session)]
SessionForm = Annotated[dict[str, str], Depends(session_form)]
