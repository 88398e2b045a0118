"""Where a request carries its token: `Authorization: Bearer` first, then the cookie, if one is taken at all."""

from collections.abc import Sequence

from vestibule.client.errors import NoToken, TokenInvalid

ACCESS_COOKIE = "access_token"


def presented(authorization: Sequence[str], cookie: str | None = None) -> str:
    """The token, by the request's Authorization headers and its cookie; raises `NoToken`, or `TokenInvalid` where two
    headers leave it open who is calling (RFC 6750, section 2). An empty Bearer does not fall back to the cookie.
    """
    if len(authorization) > 1:
        raise TokenInvalid
    scheme, _, token = (authorization[0] if authorization else "").partition(" ")
    text = token.strip(" \t") if scheme.lower() == "bearer" else cookie
    if not text:
        raise NoToken
    return text
