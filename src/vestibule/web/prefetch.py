"""Refuse prefetches of a GET that changes something: signing out, refreshing, verifying an email.

A browser prefetches a link that its user may click next (Fetch Standard, `Sec-Purpose`; older browsers send `Purpose`
or `X-Moz`). Such a request has the cookies and comes from our own site, but nobody has clicked. After a click the
browser sends it again, because it does not store a refusal.
"""

from starlette.requests import Request

from vestibule.protocol.cookies import RawHeaders
from vestibule.web.request_errors import FetchedAhead

_PURPOSE_HEADERS = frozenset({b"sec-purpose", b"purpose", b"x-purpose", b"x-moz"})
_PREFETCH_WORDS = (b"prefetch", b"prerender", b"preview")


async def on_purpose(request: Request) -> None:
    """Refuse a prefetch; raises `FetchedAhead`."""
    if is_prefetch(request.headers.raw):
        raise FetchedAhead


def is_prefetch(headers: RawHeaders) -> bool:
    """Return whether a request is a prefetch."""
    purposes = [content.lower() for name, content in headers if name in _PURPOSE_HEADERS]
    return any(word in content for content in purposes for word in _PREFETCH_WORDS)
