"""The `RequestContext`: what layers and guards learn about one request, for each other and for the handler."""

from dataclasses import dataclass
from enum import Enum, auto

from starlette.requests import Request

from vestibule.flows.identify import Caller
from vestibule.flows.issue_tokens import Tokens
from vestibule.model.accounts import Account
from vestibule.model.permissions import Permission


class BodyMissing(Enum):
    """Why the body was not read.

    The context has this instead of the refusal, because a refusal's traceback refers to the request. The request would
    stay in memory, and the server library does not close a connection while its unread body is referred to.
    """

    TOO_LARGE = auto()
    INCOMPLETE = auto()


Identified = Caller | Exception
"""The caller, or the exception that says why there is none."""


@dataclass(slots=True)
class RequestContext:
    """What is known about one request. None: not known, or not known yet."""

    body: bytes | BodyMissing | None = None
    """The body, or why it is missing, if `body.wait_for_body` has run."""
    form_values: dict[str, str] | None = None
    """The fields of the form that was sent, without passwords."""
    form_page: str = ""
    """The path of the page to which a browser is redirected if its form is refused; empty for any other request."""
    was_refused: bool = False
    """Whether what a page's form asked for was refused."""
    request_id: bytes | None = None
    """The request id, if the fast path has set it."""
    identified: Identified | None = None
    """What `layers.fast_path` found, until the guard `caller.signed_in` takes it (`take_identified`)."""
    caller: Caller | None = None
    """The signed-in user of a page."""
    permissions: frozenset[Permission] = frozenset()
    """What the caller of a page for operators may do; empty at all other pages."""
    has_session: bool | None = None
    """Whether the browser's cookies belong to a live session; None if nobody has checked."""
    session_account: Account | None = None
    """The account of the browser's live session, at a page that asks for no sign-in; None without one, or if nobody has
    checked."""
    session_over: str = ""
    """Why the session of the browser's cookies has ended: the code of the refusal; empty if it has not, or if that is
    not known."""
    refreshed_tokens: Tokens | None = None
    """Refreshed tokens, for the cookies of the page's answer."""
    link_target: str = ""
    """The page that the person was going to, as stored with the mailed link that was opened; not checked yet."""
    trouble: str = ""
    """Why a form is shown again, in the reader's language; otherwise empty."""

    def take_identified(self) -> Caller | None:
        """Return the caller that the fast path found, or raise the exception that it met. None if it did not look."""
        found, self.identified = self.identified, None
        if isinstance(found, Exception):
            try:
                raise found
            finally:
                del found  # the traceback of an error refers to this frame, and so to the request
        return found


def context_of(request: Request) -> RequestContext:
    """Return the context of a request, created at the first call. Nothing else uses `request.state`."""
    context: RequestContext | None = getattr(request.state, "context", None)
    if context is None:
        context = request.state.context = RequestContext()
    return context
