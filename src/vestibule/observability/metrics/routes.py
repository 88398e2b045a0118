"""Name a request by its route: a path may contain a secret, and there is no end of them."""

from collections.abc import Collection

from starlette.types import Scope

UNMATCHED = "unmatched"
METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})
"""Methods that are named in metrics; clients may invent any number of others."""


def route_of(scope: Scope, plain: Collection[str]) -> str:
    """Return the route's pattern; for a request not routed, its path if it is in `plain`, else `unmatched`."""
    route = scope.get("route")
    if route is not None:
        return str(route.path)
    return scope["path"] if scope["path"] in plain else UNMATCHED
