"""The token of a request, in whatever framework: found as Vestibule finds it, guarded where a cookie carried it."""

from vestibule.client.errors import CredentialAmbiguousError, CrossSiteError, NoTokenError
from vestibule.client.verifier import Verifier
from vestibule.protocol import credentials, other_sites
from vestibule.protocol.cookies import RawHeaders

WEBSOCKET = "websocket"
"""Stands for the method of a websocket's beginning, whose own is GET: what follows may be anything."""


def token_in(verifier: Verifier, method: str, headers: RawHeaders) -> str:
    """The token; raises `NoTokenError`, `CrossSiteError`, and `CredentialAmbiguousError` for several of them.

    A browser adds the cookie to whatever any site makes it send. So a cookie opens a websocket, or counts with a method
    that is not GET, HEAD or OPTIONS, only where the request says that it comes from this site or one of
    `verifier.origins`. Names of `headers` are in lower case.
    """
    try:
        token, by_cookie = credentials.presented(headers, verifier.cookie.encode() if verifier.cookie else None)
    except credentials.Ambiguous:
        raise CredentialAmbiguousError from None
    if not token:
        raise NoTokenError
    if by_cookie and other_sites.changes_something(method, headers):
        _require_own_site(verifier, headers)
    return token


def _require_own_site(verifier: Verifier, headers: RawHeaders) -> None:
    # What says nothing is no browser of today; a program can send the token as Bearer.
    if other_sites.from_elsewhere(headers, verifier.origins) is not False:
        raise CrossSiteError
