"""The own session of an operator who acts as somebody else in this browser (decision 0060), put away in a cookie.

Meanwhile the cookies of a sign-in are those of the acting session, so that every app sees the person. The operator's
refresh token is sealed in a cookie of its own, where no app takes it for the person's. The cookie also tells every page
that an operator acts, without a look into the database: a page about a fault says so too.
"""

from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import Response

from vestibule.crypto import jws
from vestibule.crypto.jws import InvalidToken
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.sign_out import sign_out
from vestibule.flows.stop_acting import sign_out_operator
from vestibule.protocol.access_tokens import TYP
from vestibule.web import cookies
from vestibule.web.pages.sealed_cookie import SealedCookie
from vestibule.web.request_context import context_of
from vestibule.web.site import site_of

# Twice as long as an operator acts, so that the way back is there when the acting has expired.
_COOKIE = SealedCookie(cookies.OPERATOR_SESSION, seconds=3600, max_characters=3500, host_only=True)
_SUBJECT = "operator"
_PATH = "/"


@dataclass(frozen=True)
class PutAway:
    """The acting session and the email of its owner; the operator's refresh token, and the page to go back to."""

    session_id: str
    email: str
    refresh_token: str
    back: str


@dataclass(frozen=True)
class Banner:
    """The email of the account whose owner an operator acts as in this browser. `over`: the acting has ended."""

    email: str
    over: bool


def put_away(request: Request, response: Response, kept: PutAway) -> None:
    """Put the operator's session away, and delete its refresh token from where apps look for the person's."""
    site = site_of(request)
    _COOKIE.set(request, response, _COOKIE.seal(request, _SUBJECT, asdict(kept)), _PATH)
    cookies.clear_refresh(response, site.env.clock.now(), site.web)


def find(request: Request) -> PutAway | None:
    """Return what is put away in this browser; None if nothing is."""
    kept = _COOKIE.open(request, _SUBJECT)
    return None if kept is None else PutAway(**kept)


def forget(request: Request, response: Response) -> None:
    """Delete what is put away in this browser, if anything is."""
    if _COOKIE.is_sent(request):
        _COOKIE.clear(request, response, _PATH)


def is_replaced(request: Request, kept: PutAway) -> bool:
    """Return whether the browser has got the cookies of another session since: in another tab, or by a sign-in."""
    presented = _presented_session(request)
    if presented is not None:
        return presented != kept.session_id
    return cookies.read_refresh(request.headers.raw, site_of(request).web) is not None


def banner(request: Request) -> Banner | None:
    """Return what every page says to an operator who acts in this browser; None if nobody does."""
    kept, caller = find(request), context_of(request).caller
    if kept is not None:
        over = bool(context_of(request).session_over) or _presented_session(request) is None
        return None if is_replaced(request, kept) else Banner(kept.email, over)
    # If the API began the acting, and somebody put its token into this browser, nothing was put away.
    if caller is not None and caller.actor_id is not None:
        return Banner(caller.account.email, over=False)
    return None


async def sign_out_here(request: Request, env: Env, caller: Caller | None) -> None:
    """End the caller's session. If an operator acts in this browser, or did until that ended by itself, end the
    operator's own too: a sign-out leaves nothing behind to return to. `caller`: None if that session is over.
    """
    kept = find(request)
    if kept is not None and _is_of_acting(request, kept, caller):
        await sign_out_operator(env, kept.session_id)
    if caller is not None:
        await sign_out(env, caller)


def _is_of_acting(request: Request, kept: PutAway, caller: Caller | None) -> bool:
    """Return whether the session that signs out is the acting one, not one that has replaced it in this browser."""
    return not is_replaced(request, kept) if caller is None else caller.session_id == kept.session_id


def _presented_session(request: Request) -> str | None:
    """Return the session that the access token claims to be of; None without one. The signature is NOT checked: this
    only tells one's own cookies apart.
    """
    text = cookies.read_access(request.headers.raw, site_of(request).web) or ""
    try:
        return str(jws.unverified_claims(text, TYP).get("sid"))
    except InvalidToken:
        return None
