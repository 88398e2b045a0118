"""Find browsers that keep no cookies for this site: their user has blocked cookies, or `Secure` cookies were set over
plain HTTP.

Every page that a GET shows sets a cookie in a browser that has sent none. So a browser that sends a form without any
cookie keeps none. The page that answers the form (`frame.html`) says so.
"""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from vestibule.web import cookies
from vestibule.web.csrf import is_browser
from vestibule.web.request_context import context_of
from vestibule.web.site import site_of

_SECONDS = 30 * 86400  # a page may be left open


def keeps_none(request: Request) -> bool:
    """Return whether a browser sent this form from a page of ours, and has not kept the cookie of that page."""
    sent_form = context_of(request).form_page != ""
    return sent_form and not _sent_any(request) and is_browser(request.headers.get("user-agent", ""))


def set_one(request: Request, page: Response) -> None:
    """Set a cookie in a browser that has sent none, so that its next form shows whether it keeps cookies."""
    is_shown_by_get = request.method == "GET" and page.status_code == HTTPStatus.OK
    if not _sent_any(request) and (is_shown_by_get or keeps_none(request)):
        site = site_of(request)
        cookies.set_of_pages(page, cookies.KEPT, "true", "/", _SECONDS, site.env.clock.now(), site.web)


def _sent_any(request: Request) -> bool:
    return "cookie" in request.headers
