"""What the layers and guards learn about one request, in one typed object."""

from dataclasses import dataclass
from enum import Enum, auto

from starlette.requests import Request

from vestibule.flows.identify import Caller
from vestibule.flows.issue_tokens import Tokens


class NoBody(Enum):
    """Why there is no body.

    The refusal itself is not stored here, because its traceback refers to the request. The request would stay in
    memory, and the server library does not close a connection while its unread body is referred to.
    """

    TOO_LARGE = auto()
    TOO_SLOW = auto()


Identified = Caller | Exception
"""The caller, or the exception that says why there is none."""


@dataclass(slots=True)
class RequestContext:
    """One request. None: not known, or not known yet."""

    arrived: bytes | NoBody | None = None
    """The body, if it was read before the request took an admission slot."""
    typed: dict[str, str] | None = None
    """The fields of its form, without passwords."""
    request_id: bytes | None = None
    """The request id, if the fast path has set it."""
    identified: Identified | None = None
    """The result of the fast path, until the guard takes it."""
    caller: Caller | None = None
    """The user of a page."""
    renewed: Tokens | None = None
    """New tokens, for the cookies of the page's answer."""
    trouble: str = ""
    """Why a form is shown again, in the reader's language; otherwise empty."""

    def take_identified(self) -> Caller | None:
        """Return the caller that the fast path found; None if it did not look. Raises the exception that it met."""
        found, self.identified = self.identified, None
        if isinstance(found, Exception):
            try:
                raise found
            finally:
                del found  # its traceback refers to this frame, and so to the request
        return found


def context_of(request: Request) -> RequestContext:
    """Return the context of a request, created at the first call. Nothing else uses `request.state`."""
    context: RequestContext | None = getattr(request.state, "context", None)
    if context is None:
        context = request.state.context = RequestContext()
    return context
