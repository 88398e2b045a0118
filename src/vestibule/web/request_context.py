"""What is learned about one request on its way, in one typed object."""

from dataclasses import dataclass
from enum import Enum, auto

from starlette.requests import Request

from vestibule.flows.identify import Caller
from vestibule.flows.issue_tokens import Tokens


class NoBody(Enum):
    """Why there is no body. Not the refusal itself: kept with the request, it would keep the request by its traceback,
    and the server library closes no connection whose unread body somebody keeps.
    """

    TOO_LARGE = auto()
    TOO_SLOW = auto()


@dataclass(slots=True)
class RequestContext:
    """One request; None stands for what is not known, or not known yet."""

    arrived: bytes | NoBody | None = None
    """The body, where it was read before the request was given a slot."""
    typed: dict[str, str] | None = None
    """The fields of its form, without passwords."""
    caller: Caller | None = None
    """Who is at the page."""
    renewed: Tokens | None = None
    """The tokens that the page's answer has to hand over."""
    trouble: str = ""
    """Why a form is shown again, in the reader's language; empty where it is not."""


def context_of(request: Request) -> RequestContext:
    """Return what is known about a request; made when first asked for. Nothing else uses `request.state`."""
    context: RequestContext | None = getattr(request.state, "context", None)
    if context is None:
        context = request.state.context = RequestContext()
    return context
