"""Whether a browser was made to ask by another site: Origin and Fetch Metadata (ASVS 5.0, 3.5.1).

A listed origin may ask, and our own site. Who says neither is no browser of today, and may ask without a cookie, or
as a program that does not call itself a browser: only browsers add cookies to what somebody else made them ask.
"""

import re

from starlette.requests import Request

from vestibule.protocol.other_sites import from_elsewhere
from vestibule.web import cookies
from vestibule.web.errors import CrossSite, CrossSiteRefresh
from vestibule.web.site import site_of

# What browsers call themselves, old ones and those of simple phones too; no page can make one say otherwise to another
# site. A program that says so is taken for a browser, and may send an Origin, or no cookie.
_BROWSER = re.compile(
    "mozilla|opera|msie|webkit|gecko|browser|ucweb|netfront|blackberry|nokia|sonyericsson|midp|konqueror|netsurf|dillo"
    "|lynx|links|w3m",
    re.IGNORECASE,
)


async def own_site(request: Request) -> None:
    """Raise `CrossSite` unless the request comes from our own site, a listed origin, or no browser at all."""
    if _from_elsewhere(request):
        raise CrossSite


async def own_site_refresh(request: Request) -> None:
    """Raise `CrossSiteRefresh` where `own_site` raises `CrossSite`: the refresh endpoint has its own words for it."""
    if _from_elsewhere(request):
        raise CrossSiteRefresh


def _from_elsewhere(request: Request) -> bool:
    said = from_elsewhere(request.headers.raw, site_of(request).web.origins)
    if said is not None:
        return said
    return is_browser(request.headers.get("user-agent", "")) and cookies.any_credential(
        request.headers.raw, site_of(request).web
    )


def is_browser(user_agent: str) -> bool:
    """Return whether a program calls itself a browser."""
    return _BROWSER.search(user_agent) is not None
