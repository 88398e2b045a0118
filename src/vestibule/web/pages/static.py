"""Serve the files that pages load. Browsers cache each for a year, because its URL changes with its content."""

from fastapi import Request
from starlette.responses import Response

from vestibule.web.pages.assets import Static
from vestibule.web.request_errors import RouteUnknown
from vestibule.web.site import site_of

_YEAR = {"Cache-Control": "public, max-age=31536000, immutable"}


async def stylesheet(request: Request) -> Response:
    """Return the stylesheet of every page."""
    return Response(_static(request).style, media_type="text/css; charset=utf-8", headers=_YEAR)


async def script(request: Request) -> Response:
    """Return the script: it shows and rates passwords, removes mended faults, converts times and copies texts. Pages
    work without it.
    """
    return Response(_static(request).script, media_type="text/javascript; charset=utf-8", headers=_YEAR)


async def logo(request: Request) -> Response:
    """Return the product's logo; raises `RouteUnknown` if there is none."""
    static = _static(request)
    if not static.logo:
        raise RouteUnknown(request.url.path)
    return Response(static.logo, media_type=static.logo_media, headers=_YEAR)


def _static(request: Request) -> Static:
    return site_of(request).templates.static
