"""Refuse what a browser fetches ahead of time where a GET changes something: signing out, refreshing, verifying.

A prefetch loads what somebody may want next (Fetch Standard, `Sec-Purpose`; older browsers say `Purpose` or
`X-Moz`). It carries the cookies, comes from our own site, and nobody has clicked. The browser asks anew when somebody
does, because it does not keep a refusal.
"""

from starlette.requests import Request

from vestibule.protocol.cookies import RawHeaders
from vestibule.web.errors import FetchedAhead

_HEADERS = frozenset({b"sec-purpose", b"purpose", b"x-purpose", b"x-moz"})
_AHEAD = (b"prefetch", b"prerender", b"preview")


async def on_purpose(request: Request) -> None:
    """Guard a GET that changes something; raises `FetchedAhead`."""
    if is_ahead(request.headers.raw):
        raise FetchedAhead


def is_ahead(headers: RawHeaders) -> bool:
    """Return whether a request is made ahead of time."""
    said = [content.lower() for name, content in headers if name in _HEADERS]
    return any(word in content for content in said for word in _AHEAD)
