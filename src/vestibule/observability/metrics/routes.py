"""What a request is told as: its route, never the path itself, which may hold a secret and of which there is no end."""

from collections.abc import Collection

from starlette.types import Scope

UNMATCHED = "unmatched"
METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})
"""Those that are told by name: whoever asks may invent any other."""


def route_of(scope: Scope, plain: Collection[str]) -> str:
    """The route's pattern, once it was routed. `plain` are the paths that may be answered before."""
    route = scope.get("route")
    if route is not None:
        return str(route.path)
    return scope["path"] if scope["path"] in plain else UNMATCHED
