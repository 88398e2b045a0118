"""What a right password or a right mailed code leads to."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.begin_session import EnrolmentNeeded, SecondFactorNeeded, SignedIn
from vestibule.web.pages.arrival import arrive
from vestibule.web.pages.enrol import go_to_enrolment
from vestibule.web.pages.route import set_session_cookies
from vestibule.web.pages.second_step import go_to_second_step


async def lead_on(request: Request, outcome: SignedIn | SecondFactorNeeded | EnrolmentNeeded) -> Response:
    """Set the cookies of the session and redirect to `return_to`; or redirect to the page that asks for a second
    factor, or to the one that sets it up.
    """
    if isinstance(outcome, SecondFactorNeeded):
        return go_to_second_step(request, outcome)
    if isinstance(outcome, EnrolmentNeeded):
        return go_to_enrolment(request, outcome)
    return await set_session_cookies(request, arrive(request), outcome)
