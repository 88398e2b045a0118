"""Redirect after a refused form (post/redirect/get), so that Back and Reload never ask to send the form again.

The refusal and what was typed travel in a cookie to the page that has the form, and are shown there once. The cookie is
encrypted, tied to the page and to the session, and lasts a minute. The server keeps nothing (decision 0046).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vestibule.web import cookies
from vestibule.web.accept import asks_for_page
from vestibule.web.csrf import from_elsewhere
from vestibule.web.pages import return_to
from vestibule.web.pages.form import form_values
from vestibule.web.pages.no_cookies import keeps_none
from vestibule.web.pages.sealed_cookie import SealedCookie
from vestibule.web.request_context import context_of
from vestibule.web.site import site_of

KEPT_SECONDS = 60
_MAX_CHARACTERS = 2000  # the longest name, email and messages fit
_COOKIE = SealedCookie(cookies.REFUSED_FORM, KEPT_SECONDS, _MAX_CHARACTERS)
_UNEXPECTED = 500
_SHOWN_AGAIN = ("name", "email")  # the fields that a form shows again: no password, code or other secret is among them
_FOUND_AGAIN = "boxes"  # a variable that the page of the form computes anew, and that may be too long for the cookie


@dataclass(frozen=True)
class PageContent:
    """What a page shows: its template, the message for each refused field, and its other variables."""

    template: str
    messages: Mapping[str, str]
    variables: Mapping[str, Any]


def expect_form(request: Request, route_path: str) -> None:
    """Note which page has the form, if a browser sent this request from a page of ours. Programs do not ask for HTML:
    they get the status of the refusal, not a redirect.
    """
    if request.method == "POST" and asks_for_page(request) and not from_elsewhere(request):
        at = site_of(request).form_pages.get(route_path, route_path)
        context_of(request).form_page = at.format(**request.path_params)


def redirect(request: Request, content: PageContent, status: int) -> Response | None:
    """Return the redirect to the page that has the form. None if this is no form of a browser, if the browser would not
    keep the cookie or the cookie would be too long, or for an unexpected fault, whose status monitors must see.
    """
    page = context_of(request).form_page
    if not page or status == _UNEXPECTED or keeps_none(request):
        return None
    typed = content.variables.get("values", form_values(request))
    # First with what was typed, and without that if the cookie would be too long.
    for values in ({name: typed[name] for name in _SHOWN_AGAIN if name in typed}, {}):
        variables = {**_short(request, content), "values": values, "trouble": context_of(request).trouble}
        kept = asdict(replace(content, variables=variables)) | {"session": _session_id(request)}
        if sealed := _COOKIE.seal(request, page, kept):
            return _redirect_with(request, page, sealed)
    return None


def waiting(request: Request) -> PageContent | None:
    """Return the content that waits in the cookie for this page; None without a cookie, or if it is too old, or is of
    another page or session.
    """
    if request.method != "GET" or (kept := _COOKIE.open(request, request.scope["path"])) is None:
        return None
    is_theirs = kept.pop("session") in {"", _session_id(request)}  # empty: the page needed no sign-in
    return PageContent(**kept) if is_theirs else None


def clear(request: Request, response: Response) -> None:
    """Delete the cookie, because this page has shown its content."""
    _COOKIE.clear(request, response, _scope(request.scope["path"]))


def _redirect_with(request: Request, page: str, sealed: str) -> Response:
    named = return_to.allowed_target(return_to.named_by(request), site_of(request).web.origins)
    context_of(request).was_refused = True
    response = RedirectResponse(return_to.with_query(quote(page), return_to=named or ""), 303)
    _COOKIE.set(request, response, sealed, _scope(page))
    return response


def _short(request: Request, content: PageContent) -> dict[str, Any]:
    """Return the variables without those that the page computes anew: the target, and `_FOUND_AGAIN`."""
    found = return_to.as_parameter(return_to.target_of(request))
    kept = content.variables.items()
    return {name: value for name, value in kept if name != _FOUND_AGAIN and (name, value) != ("return_to", found)}


def _session_id(request: Request) -> str:
    """Return the id of the session that the page belongs to; empty for a page that needs no sign-in."""
    caller = context_of(request).caller
    return caller.session_id if caller else ""


def _scope(page: str) -> str:
    """Return the path of the cookie: the first segment of the page's, as the others may contain a mailed secret."""
    return "/" + page.split("/")[1]
