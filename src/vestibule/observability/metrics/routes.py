"""Name a request by its route, not by its path: a path may contain a secret, and there are too many paths."""

from collections.abc import Collection

from starlette.types import Scope

UNMATCHED = "unmatched"
METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})
"""Methods that metrics show by name. All others share one name, because clients may invent any number."""


def route_of(scope: Scope, unrouted: Collection[str]) -> str:
    """Return the route's pattern. Without a route, return the path if it is in `unrouted`, otherwise `unmatched`."""
    route = scope.get("route")
    if route is not None:
        return str(route.path)
    return scope["path"] if scope["path"] in unrouted else UNMATCHED
