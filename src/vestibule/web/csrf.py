"""Refuse requests that another site made a browser send, by Origin and Fetch Metadata (ASVS 5.0, 3.5.1).

Requests from our own site and from listed origins pass. Every current browser sends one of the two headers. A request
without both passes if it has no cookie with a token, or if its user agent is not a browser's: only browsers add cookies
to a request that another site started.
"""

import re
from collections.abc import Collection

from starlette.requests import Request

from vestibule.protocol import other_sites
from vestibule.web import cookies
from vestibule.web.request_errors import CrossSite, CrossSiteRefresh
from vestibule.web.site import site_of

# Words in the user agents of browsers, old ones and those of simple phones included. A page cannot make a browser send
# another user agent to another site. A program with such a user agent counts as a browser: it must send an Origin, or
# no cookie with a token.
_BROWSER = re.compile(
    "mozilla|opera|msie|webkit|gecko|browser|ucweb|netfront|blackberry|nokia|sonyericsson|midp|konqueror|netsurf|dillo"
    "|lynx|links|w3m",
    re.IGNORECASE,
)


async def own_site(request: Request) -> None:
    """Raise `CrossSite` unless the request comes from our own site, from a listed origin, or from no browser."""
    if from_elsewhere(request):
        raise CrossSite


async def own_site_refresh(request: Request) -> None:
    """Raise `CrossSiteRefresh` where `own_site` raises `CrossSite`: the refresh endpoint has its own message."""
    if from_elsewhere(request):
        raise CrossSiteRefresh


async def own_pages(request: Request) -> None:
    """Raise `CrossSite` unless the request comes from a page of our own, or from no browser. For forms that only our
    own pages have: no script of a front-end, even of a listed origin, may send them.
    """
    if _is_foreign(request, origins=()):
        raise CrossSite


def from_elsewhere(request: Request) -> bool:
    """Return whether another site made a browser send this request, or may have."""
    return _is_foreign(request, site_of(request).web.origins)


def _is_foreign(request: Request, origins: Collection[str]) -> bool:
    """Return what `from_elsewhere` returns, but with these origins as the listed ones."""
    by_headers = other_sites.from_elsewhere(request.headers.raw, origins)
    if by_headers is None:  # neither header was sent
        has_credential = cookies.any_credential(request.headers.raw, site_of(request).web)
        return has_credential and is_browser(request.headers.get("user-agent", ""))
    return by_headers


def is_browser(user_agent: str) -> bool:
    """Return whether a user agent is a browser's."""
    return _BROWSER.search(user_agent) is not None
