"""Who is at a page: by cookies alone, and without ever being signed out because an access token has run out.

A page has no script to refresh for it, so that is done here, with the refresh token that came along: the same flow as
the API's, so that ten tabs at once all get the same successor. Which tokens came of it, `face.PageRoute` hands over.
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

TOKEN_FIELD = "csrf"


async def member(request: Request) -> Caller:
    """The caller; raises `NotSignedIn`, `SessionOver` or `RefreshRefused`."""
    env = await env_of(request)
    try:
        caller = await identify(env, cookies.read_access(request.headers.raw, request.app.state.web) or "")
    except AccessTokenInvalid:  # expired, or gone from the browser because it has
        caller = await _renewed(request, env)
    request.state.caller = caller
    return caller


async def perhaps_member(request: Request) -> Caller | None:
    """The caller, if there is one."""
    try:
        return await member(request)
    except FetchedAhead:
        raise
    except Refusal:
        return None


async def member_form(request: Request, caller: Annotated[Caller, Depends(member)]) -> dict[str, str]:
    """The fields of a form that a page of ours made for this very session; raises `CrossSite` for any other."""
    fields = await read_form(request)
    env = await env_of(request)
    if not bound_tokens.belongs(fields.pop(TOKEN_FIELD, ""), _key(env), caller.session_id):
        raise CrossSite
    return fields


def form_token(env: Env, caller: Caller) -> str:
    """What a form for this session carries."""
    return bound_tokens.mint(_key(env), caller.session_id)


async def _renewed(request: Request, env: Env) -> Caller:
    refresh_token = cookies.read_refresh(request.headers.raw, request.app.state.web)
    if not refresh_token or request.method == "HEAD":  # which changes nothing
        raise NotSignedIn
    if is_ahead(request.headers.raw):  # a redirect would be kept, and show somebody who is signed in the way to sign in
        raise FetchedAhead
    tokens = await refresh(env, refresh_token, await device_of(request))
    request.state.renewed = tokens
    return await identify(env, tokens.access_token)


def _key(env: Env) -> bytes:
    """Every process has the same, and none has to keep it."""
    return bound_tokens.key_from(env.keys.refresh.signing.to_pem())


AMember = Annotated[Caller, Depends(member)]
PerhapsMember = Annotated[Caller | None, Depends(perhaps_member)]
MemberForm = Annotated[dict[str, str], Depends(member_form)]
