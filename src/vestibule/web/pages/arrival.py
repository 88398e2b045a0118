"""Where somebody goes after a step of the sign-in: on to the next one, back to the first, or in."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.model.pending_sign_ins import LIFETIME
from vestibule.web import cookies
from vestibule.web.pages import return_to, sent_letter
from vestibule.web.pages.route import SIGN_IN, see_other
from vestibule.web.site import site_of


def arrive(request: Request, notice: str = "") -> Response:
    """Redirect a signed-in user to `return_to`, with a notice if that page shows any (`return_to.with_notice`). Delete
    the cookies that were kept on the way: the target, and which email was sent.
    """
    site = site_of(request)
    now = site.env.clock.now()
    response = see_other(return_to.with_notice(return_to.target_of(request), notice))
    cookies.clear_return_to(response, now, site.web)
    sent_letter.clear(request, response, now)
    return response


def wait_at(request: Request, path: str, handle: str) -> Response:
    """Redirect to the page at `path`, which completes the sign-in, and set the cookie with the waiting sign-in's
    handle.
    """
    site = site_of(request)
    target = return_to.as_parameter(return_to.target_of(request))
    response = see_other(return_to.with_query(path, return_to=target))
    cookies.set_second_factor(response, handle, LIFETIME, site.env.clock.now(), site.web)
    return response


def start_again(request: Request) -> Response:
    """Redirect to the first step, because the sign-in no longer waits for its second step."""
    target = return_to.as_parameter(return_to.target_of(request))
    return see_other(return_to.with_query(SIGN_IN, notice="second_step_late", return_to=target))
