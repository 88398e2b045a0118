"""Files that pages load: the same for everybody, and cached under a name that changes with the content."""

import hashlib
from importlib.resources import files

from fastapi import Request
from starlette.responses import Response

from vestibule.model.brand import Brand
from vestibule.web.errors import RouteUnknown

_YEAR = {"Cache-Control": "public, max-age=31536000, immutable"}
_FOLDER = files("vestibule.web") / "static"


class Static:
    """The stylesheet with the product's colour, the script and the logo, with their URLs."""

    def __init__(self, brand: Brand) -> None:
        colours = f":root {{ --brand: {brand.colour}; --ink: {brand.ink}; }}\n"
        self.style = colours.encode() + (_FOLDER / "pages.css").read_bytes()
        self.script = (_FOLDER / "pages.js").read_bytes()
        self.logo = brand.logo if brand.logo_type else b""
        self.logo_media = f"image/{brand.logo_type}"
        self.style_at = _named("pages.css", self.style)
        self.script_at = _named("pages.js", self.script)
        self.logo_at = _named("logo", self.logo) if self.logo else ""


async def stylesheet(request: Request) -> Response:
    """Return the stylesheet of every page."""
    return Response(_of(request).style, media_type="text/css; charset=utf-8", headers=_YEAR)


async def script(request: Request) -> Response:
    """Return the script: it shows and judges passwords, and copies. Pages work without it."""
    return Response(_of(request).script, media_type="text/javascript; charset=utf-8", headers=_YEAR)


async def logo(request: Request) -> Response:
    """Return the product's logo; raises `RouteUnknown` if there is none."""
    static = _of(request)
    if not static.logo:
        raise RouteUnknown(request.url.path)
    return Response(static.logo, media_type=static.logo_media, headers=_YEAR)


def _of(request: Request) -> Static:
    static: Static = request.app.state.pages.static
    return static


def _named(name: str, content: bytes) -> str:
    return f"/static/{name}?{hashlib.sha256(content).hexdigest()[:12]}"
