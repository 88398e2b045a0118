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


Identified = Caller | Exception
"""Who is asking, or why nobody can tell."""


@dataclass(slots=True)
class RequestContext:
    """One request; None stands for what is not known, or not known yet."""

    arrived: bytes | NoBody | None = None
    """The body, where it was read before the request was given a slot."""
    typed: dict[str, str] | None = None
    """The fields of its form, without passwords."""
    request_id: bytes | None = None
    """Its id, where it was named before it reached the framework."""
    identified: Identified | None = None
    """What the fast path found out, until the guard takes it."""
    caller: Caller | None = None
    """Who is at the page."""
    renewed: Tokens | None = None
    """The tokens that the page's answer has to hand over."""
    trouble: str = ""
    """Why a form is shown again, in the reader's language; empty where it is not."""

    def take_identified(self) -> Caller | None:
        """Return the caller whom the fast path identified, or None if it did not; raises what it was refused with."""
        found, self.identified = self.identified, None
        if isinstance(found, Exception):
            try:
                raise found
            finally:
                del found  # its traceback keeps this frame, and by it the request
        return found


def context_of(request: Request) -> RequestContext:
    """Return what is known about a request; made when first asked for. Nothing else uses `request.state`."""
    context: RequestContext | None = getattr(request.state, "context", None)
    if context is None:
        context = request.state.context = RequestContext()
    return context
