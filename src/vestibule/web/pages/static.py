"""Files that pages load: the same for everybody, and cached."""

from importlib.resources import files

from starlette.responses import Response

_HOUR = {"Cache-Control": "public, max-age=3600"}
_STYLESHEET = (files("vestibule.web") / "static" / "pages.css").read_bytes()


async def stylesheet() -> Response:
    """Every page's style."""
    return Response(_STYLESHEET, media_type="text/css; charset=utf-8", headers=_HOUR)
