"""Find a request's token: in `Authorization: Bearer` first, then in the cookie, if cookies are accepted."""

from vestibule.protocol import cookies
from vestibule.protocol.cookies import RawHeaders

SentToken = tuple[
    str,  # the token of a request, empty if it has none
    bool,  # whether the token was not sent as Bearer, but as a cookie; True also without any token
]
"""Browsers attach a cookie even if another site caused the request, so a token in a cookie needs further checks."""


class Ambiguous(ValueError):
    """The request has several Authorization headers, and nothing says which of them counts (RFC 9110, section 5.3)."""


def find_token(headers: RawHeaders, cookie_name: bytes | None) -> SentToken:
    """Return the token of a request; raises `Ambiguous`. `cookie_name` is None if cookies are not accepted."""
    return find_token_in(_authorization(headers), cookies.joined(headers), cookie_name)


def find_token_in(authorization: bytes | None, cookie_header: bytes, cookie_name: bytes | None) -> SentToken:
    """Return the token in these two headers. Reads the cookie only if Authorization has no `Bearer`, with or without a
    token behind it.
    """
    token = bearer_in(authorization)
    if token is not None:
        return token, False
    cookie = cookies.read_in(cookie_header, cookie_name) if cookie_name else None
    return cookie or "", True


def bearer(headers: RawHeaders) -> str | None:
    """Return what follows `Authorization: Bearer`, or None; raises `Ambiguous` for several headers."""
    return bearer_in(_authorization(headers))


def bearer_in(authorization: bytes | None) -> str | None:
    """Return what follows `Bearer` in an Authorization header; None for another scheme, or without the header."""
    if authorization is None:
        return None
    scheme, _, token = authorization.replace(b"\t", b" ").partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    # Strip only HTTP's white space (RFC 9110, section 5.6.3); Python would strip more.
    return token.strip(b" \t").decode("latin-1")


def _authorization(headers: RawHeaders) -> bytes | None:
    sent = [content for name, content in headers if name == b"authorization"]
    if len(sent) > 1:
        raise Ambiguous
    return sent[0] if sent else None
