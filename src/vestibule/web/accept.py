"""Decide by `Accept` (RFC 9110, section 12.5.1) whether to show a refusal or an error as a page or as JSON."""

import re

from starlette.requests import Request

_API = re.compile(r"/api(?:/|$)")
_HTML_TYPE, _JSON_TYPE = "text/html", "application/json"
_QUALITY = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)


def asks_for_page(request: Request) -> bool:
    """Return whether `Accept` names HTML with at least the weight of JSON. Every path under `/api` gets JSON."""
    if _API.match(request.scope["path"]):
        return False
    weights = _weights(",".join(request.headers.getlist("accept")))
    return weights.get(_HTML_TYPE, 0) > 0 and weights[_HTML_TYPE] >= weights.get(_JSON_TYPE, 0)


def _weights(accept: str) -> dict[str, float]:
    """Return the weight of each media type, 0 to 1 (RFC 9110, section 12.5.1). A malformed weight counts as 1."""
    weights: dict[str, float] = {}
    for element in accept.split(","):
        media, *parameters = element.split(";")
        given = [float(found[1]) for parameter in parameters if (found := _QUALITY.fullmatch(parameter))]
        weights[media.strip().lower()] = given[-1] if given else 1
    return weights
