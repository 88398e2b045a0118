"""Keep Litestar's response cache from giving one caller's answer to another."""

import hashlib
from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.types import CacheKeyBuilder, Scope


def cache_per_token(scope: Scope) -> None:
    """Have Litestar's response cache keep one answer of the handler per token: by itself it keeps one for everybody."""
    handler = scope.get("route_handler")
    if isinstance(handler, HTTPRouteHandler) and handler.cache:
        builder = handler.cache_key_builder or scope["litestar_app"].response_cache_config.key_builder
        if not isinstance(builder, _KeyWithToken):
            handler.cache_key_builder = _KeyWithToken(builder)


class _KeyWithToken:
    """Builds the key that Litestar's response cache would have, and adds a digest of the request's token."""

    def __init__(self, builder: CacheKeyBuilder) -> None:
        self._builder = builder

    def __call__(self, request: Request[Any, Any, Any]) -> str:
        token = str(request.scope.get("auth") or "")
        return f"{self._builder(request)}#{hashlib.sha256(token.encode()).hexdigest()}"
