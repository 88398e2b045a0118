"""Where somebody goes after a step of the sign-in: on to the next one, back to the first, or in."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.model.pending_sign_ins import LIFETIME
from vestibule.web import cookies
from vestibule.web.pages import return_to, sent_letter
from vestibule.web.pages.route import SIGN_IN, see_other
from vestibule.web.site import site_of


def arrive(request: Request, notice: str = "") -> Response:
    """Redirect somebody who is signed in to where they were going, and delete the cookies that led there."""
    site = site_of(request)
    now = site.env.clock.now()
    response = see_other(return_to.with_notice(return_to.target_of(request), notice))
    cookies.clear_return_to(response, now, site.web)
    sent_letter.clear(request, response, now)
    return response


def wait_at(request: Request, path: str, handle: str) -> Response:
    """Redirect to the page that completes the sign-in, and set the cookie that it needs."""
    site = site_of(request)
    target = return_to.as_parameter(return_to.target_of(request))
    response = see_other(return_to.with_query(path, return_to=target))
    cookies.set_second_factor(response, handle, LIFETIME, site.env.clock.now(), site.web)
    return response


def start_again(request: Request) -> Response:
    """Go back to the first step, because the second one came too late."""
    target = return_to.as_parameter(return_to.target_of(request))
    return see_other(return_to.with_query(SIGN_IN, notice="second_step_late", return_to=target))
