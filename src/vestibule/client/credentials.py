"""Find the access token in a request of any framework, as the server itself does, CSRF check for cookies included."""

from vestibule.client.caller_errors import CredentialAmbiguousError, CrossSiteError, NoTokenError
from vestibule.client.verifier import Verifier
from vestibule.protocol import credentials, other_sites
from vestibule.protocol.cookies import RawHeaders

WEBSOCKET = "websocket"
"""Stands for the method of a websocket's opening request. The request is a GET, but messages sent later may change
state.
"""

_SECURE = {"https", "wss"}


def token_in(verifier: Verifier, method: str, headers: RawHeaders, scheme: str) -> str:
    """Return the access token of a request. `scheme` is that of the request, as the framework sees it.

    Raises `NoTokenError`, `CredentialAmbiguousError` for several tokens, and `CrossSiteError`. Browsers attach the
    cookie even if another site caused the request. For a websocket, or a method other than GET, HEAD and OPTIONS, the
    cookie therefore counts only if the request states that it comes from this site or from one of `verifier.origins`.
    Names in `headers` are lower case.
    """
    try:
        token, by_cookie = credentials.find_token(headers, verifier.cookie.encode() if verifier.cookie else None)
    except credentials.Ambiguous:
        raise CredentialAmbiguousError from None
    if not token:
        raise NoTokenError
    if by_cookie and other_sites.may_change_state(method, headers):
        _require_own_site(verifier, headers, secure=scheme in _SECURE)
    return token


def may_lack_token(method: str, *, required: bool) -> bool:
    """Return whether a request without a token goes on, with None as its caller.

    An `OPTIONS` request does, always: it may be a CORS preflight. Browsers send that without credentials before a page
    of another site may send its request, and do not send the request if the preflight is refused.
    """
    return not required or method == "OPTIONS"


def _require_own_site(verifier: Verifier, headers: RawHeaders, *, secure: bool) -> None:
    # Refuse also if no header names the site: current browsers send one, and a program can send the token as Bearer.
    if other_sites.from_elsewhere(headers, verifier.origins, secure=secure) is not False:
        raise CrossSiteError
