"""Find a request's token: in `Authorization: Bearer` first, then in the cookie, if cookies are accepted."""

from typing import NamedTuple

from vestibule.protocol import cookies
from vestibule.protocol.cookies import RawHeaders


class Ambiguous(ValueError):
    """The request has several Authorization headers, and nobody can tell which counts (RFC 6750, section 2)."""


class Presented(NamedTuple):
    """The token of a request; empty if it has none. `by_cookie`: sent as a cookie, which browsers attach by themselves,
    also if another site caused the request.
    """

    token: str
    by_cookie: bool


def presented(headers: RawHeaders, cookie: bytes | None) -> Presented:
    """Return the token of a request; raises `Ambiguous`. An empty Bearer does not fall back to the cookie."""
    text = bearer(headers)
    if text is not None:
        return Presented(text, by_cookie=False)
    return Presented((cookies.read(headers, cookie) if cookie else None) or "", by_cookie=True)


def bearer(headers: RawHeaders) -> str | None:
    """Return what follows `Authorization: Bearer`, or None; raises `Ambiguous` for several headers."""
    sent = [content for name, content in headers if name == b"authorization"]
    if len(sent) > 1:
        raise Ambiguous
    return bearer_in(sent[0]) if sent else None


def bearer_in(authorization: bytes) -> str | None:
    """Return what follows `Bearer` in an Authorization header; None for another scheme."""
    scheme, _, token = authorization.replace(b"\t", b" ").partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    # Strip only HTTP's white space (RFC 9110, section 5.6.3); Python would strip more.
    return token.strip(b" \t").decode("latin-1")
