"""Keep Django's caches from giving one caller's page to another.

`UpdateCacheMiddleware`, which `cache_page` is too, stores a page wherever a project has put it: also where `Vary` does
not name yet what the page depends on, or where a page is fetched before the token is checked. Django lets nobody have a
say in that, so its `process_response` is replaced here by one that asks `_may_store` first.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.middleware.cache import UpdateCacheMiddleware
from django.utils.cache import has_vary_header, patch_vary_headers

from vestibule.client.django.settings import verifier
from vestibule.client.vary import depends_on

_LOOKED_UP = "_cache_update_cache"  # of Django: there once a cache was asked for the page
_ASKED = "_vestibule_asked"
_CHECKED_FIRST = "_vestibule_checked_first"


def asked(request: HttpRequest) -> None:
    """Note that something has asked who is calling, whatever the answer was: the page depends on it."""
    setattr(innermost(request), _ASKED, True)


def has_caller(request: HttpRequest) -> None:
    """Note that a request has a caller, and whether that was checked before a cache was asked for the page."""
    inner = innermost(request)
    setattr(inner, _CHECKED_FIRST, not hasattr(inner, _LOOKED_UP))


def innermost(request: Any) -> Any:
    """Return Django's request, of which REST framework's is a wrapper."""
    return getattr(request, "_request", request)


def varying(response: HttpResponseBase) -> None:
    """Name in `Vary` what the answer depends on."""
    patch_vary_headers(response, depends_on(verifier()))


def _may_store(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return whether a cache may store a page: one that depends on no caller, and one that no other caller is given.

    A page for which nothing has asked who is calling is not stored for a caller either, unless it says that it is
    `public` (RFC 9111, section 3.5): views can find a caller in ways that nobody notices.
    """
    # Read from the request as it is given: REST framework's own passes on what it does not have itself.
    checked_first: bool | None = getattr(request, _CHECKED_FIRST, None)
    if not getattr(request, _ASKED, False) and (checked_first is None or _is_public(response)):
        return True
    # What was fetched before the check would be given to those who have signed out, too.
    return checked_first is not False and all(has_vary_header(response, name) for name in depends_on(verifier()))


def _is_public(response: HttpResponseBase) -> bool:
    said = str(response.headers.get("Cache-Control", "")).lower()
    return "public" in (directive.strip() for directive in said.split(","))


def _storing_what_it_may(store: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(store)
    def process_response(cache: UpdateCacheMiddleware, request: HttpRequest, response: HttpResponseBase) -> Any:
        return store(cache, request, response) if _may_store(request, response) else response

    return process_response


UpdateCacheMiddleware.process_response = _storing_what_it_may(  # type: ignore[method-assign]
    UpdateCacheMiddleware.process_response
)
