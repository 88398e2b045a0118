"""Whether a browser was made to ask by another site: Fetch Metadata first, then Origin (ASVS 5.0, 3.5.1)."""

from starlette.requests import Request

from vestibule.web.errors import CrossSite, CrossSiteRefresh

_NOT_FROM_ELSEWHERE = {None, "none", "same-origin", "same-site"}


async def own_site(request: Request) -> None:
    """Raises `CrossSite` unless the request comes from our own site, a listed origin, or no browser at all."""
    if _from_elsewhere(request):
        raise CrossSite


async def own_site_refresh(request: Request) -> None:
    """The same, in the words of the refresh endpoint; raises `CrossSiteRefresh`."""
    if _from_elsewhere(request):
        raise CrossSiteRefresh


def _from_elsewhere(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is not None and origin in request.app.state.web.origins:
        return False
    site = request.headers.get("sec-fetch-site")
    if site is None and origin is not None:
        # A browser from before Fetch Metadata: its Origin must at least be the host it talks to.
        return origin.partition("://")[2] != request.headers.get("host")
    return site not in _NOT_FROM_ELSEWHERE
