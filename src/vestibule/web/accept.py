"""Who is shown a page and who is told in JSON, where no route says so (RFC 9110, section 12.5.1)."""

import re

from starlette.requests import Request

_API = re.compile(r"/api(?:/|$)")
_PAGE, _JSON = "text/html", "application/json"
_QUALITY = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)


def asks_for_page(request: Request) -> bool:
    """Return whether a page is asked for by name, and at least as much as JSON. Nobody is shown one under `/api`."""
    if _API.match(request.scope["path"]):
        return False
    wanted = _wanted(",".join(request.headers.getlist("accept")))
    return wanted.get(_PAGE, 0) > 0 and wanted[_PAGE] >= wanted.get(_JSON, 0)


def _wanted(accept: str) -> dict[str, float]:
    """Return the media types and how much each is wanted, 0 to 1 (RFC 9110, section 12.5.1). A weight that is none
    counts as 1.
    """
    wanted: dict[str, float] = {}
    for element in accept.split(","):
        media, *parameters = element.split(";")
        weights = [float(found[1]) for parameter in parameters if (found := _QUALITY.fullmatch(parameter))]
        wanted[media.strip().lower()] = weights[-1] if weights else 1
    return wanted
