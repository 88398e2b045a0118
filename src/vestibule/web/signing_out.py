"""Find who signs out. Where an operator acted as somebody until that expired, or the owner ended it, nobody is signed
in any more, but the operator's own session is put away in the browser (`operator_session`): it has to end too.
"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from vestibule.crypto import bound_tokens
from vestibule.flows.identify import Caller
from vestibule.model.errors import AccessTokenInvalid, NotSignedIn, RefreshRefused, SessionOver
from vestibule.web import operator_session
from vestibule.web.caller import EnvDep, signed_in
from vestibule.web.pages.browser_session import TOKEN_FIELD, browser_session, session_form
from vestibule.web.pages.form import read_form
from vestibule.web.request_errors import CrossSite

_OVER = (NotSignedIn, AccessTokenInvalid, SessionOver, RefreshRefused)


async def signing_out(request: Request) -> Caller | None:
    """Return the caller; None if that session is over and an operator's own is put away. Raises what `signed_in`
    raises.
    """
    try:
        return await signed_in(request)
    except _OVER:
        if operator_session.find(request) is None:
            raise
        return None


async def signing_out_form(request: Request, env: EnvDep) -> Caller | None:
    """Return the same for the form of a page, whose hidden field ties it to the session that is, or was, signed in.
    Raises what `browser_session` and `session_form` raise.
    """
    try:
        caller = await browser_session(request)
    except _OVER:
        kept, sent = operator_session.find(request), await read_form(request)
        if kept is None:
            raise
        if not bound_tokens.belongs(sent.get(TOKEN_FIELD, ""), env.keys.refresh.form_key, kept.session_id):
            raise CrossSite from None
        return None
    await session_form(request, caller)
    return caller


SigningOut = Annotated[Caller | None, Depends(signing_out)]
SigningOutOnPage = Annotated[Caller | None, Depends(signing_out_form)]
