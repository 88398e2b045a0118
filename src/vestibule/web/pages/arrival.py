"""Where somebody who has signed in goes."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.web import cookies
from vestibule.web.pages import return_to, sent_letter
from vestibule.web.pages.route import see_other
from vestibule.web.site import site_of


def arrive(request: Request, notice: str = "") -> Response:
    """Redirect somebody who is signed in to where they were going, and delete the cookies that led there."""
    site = site_of(request)
    now = site.env.clock.now()
    response = see_other(return_to.with_notice(return_to.target_of(request), notice))
    cookies.clear_return_to(response, now, site.web)
    sent_letter.forget(request, response, now)
    return response
