"""Keep Django's caches from giving one caller's page to another.

Django's `UpdateCacheMiddleware`, which `cache_page` uses too, stores pages from wherever a project has put it. There
`Vary` may not yet name what the page depends on, or a page may be fetched from the cache before the token is checked.
Django has no hook for this, so `UpdateCacheMiddleware.process_response` is replaced here by one that asks `_may_store`
first.

`FetchFromCacheMiddleware` notes the lookup on the request it is given. Around a handler of REST framework, that request
is a wrapper, so `FetchFromCacheMiddleware.process_request` is replaced by one that notes the lookup on Django's own
request.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.middleware.cache import FetchFromCacheMiddleware, UpdateCacheMiddleware
from django.utils.cache import has_vary_header, patch_vary_headers

from vestibule.client.django.settings import verifier
from vestibule.client.vary import caller_headers

_LOOKED_UP = "_vestibule_looked_up"
_DJANGOS_NOTE = "_cache_update_cache"  # Django's own note, for a lookup before this module is imported
_ASKED = "_vestibule_asked"
_CHECKED_FIRST = "_vestibule_checked_first"  # absent: no caller; else whether the check came before the cache lookup


def note_asked(request: HttpRequest) -> None:
    """Note that something has asked who is calling. The page then depends on the caller, even if there is none."""
    setattr(innermost(request), _ASKED, True)


def note_caller(request: HttpRequest) -> None:
    """Note that a request has a caller, and whether they were checked before a cache was asked for the page."""
    inner = innermost(request)
    setattr(inner, _CHECKED_FIRST, not (hasattr(inner, _LOOKED_UP) or hasattr(inner, _DJANGOS_NOTE)))


def innermost(request: Any) -> Any:
    """Return Django's own request, which REST framework wraps in one of its own."""
    return getattr(request, "_request", request)


def add_vary(response: HttpResponseBase) -> None:
    """Name in `Vary` the headers by which the caller is found."""
    patch_vary_headers(response, caller_headers(verifier()))


def _may_store(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return whether a cache may store a page: one that depends on no caller, or one that only its caller is given.

    If the request has a caller, its page counts as one that depends on the caller even if no view has asked who is
    calling, unless it is `public` (RFC 9111, section 3.5): views can find a caller in ways that are not noticed here.
    """
    # No need for `innermost`: REST framework's request passes on attributes that it does not have itself.
    checked_first: bool | None = getattr(request, _CHECKED_FIRST, None)
    if not getattr(request, _ASKED, False) and (checked_first is None or _is_public(response)):
        return True
    # A page fetched before the check would also be given to callers who have signed out.
    return checked_first is not False and all(has_vary_header(response, name) for name in caller_headers(verifier()))


def _is_public(response: HttpResponseBase) -> bool:
    cache_control = str(response.headers.get("Cache-Control", "")).lower()
    return "public" in (directive.strip() for directive in cache_control.split(","))


def _note_lookup(look_up: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(look_up)
    def process_request(cache: FetchFromCacheMiddleware, request: HttpRequest) -> Any:
        setattr(innermost(request), _LOOKED_UP, True)
        return look_up(cache, request)

    return process_request


def _store_if_allowed(store: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(store)
    def process_response(cache: UpdateCacheMiddleware, request: HttpRequest, response: HttpResponseBase) -> Any:
        return store(cache, request, response) if _may_store(request, response) else response

    return process_response


FetchFromCacheMiddleware.process_request = _note_lookup(  # type: ignore[method-assign]
    FetchFromCacheMiddleware.process_request
)
UpdateCacheMiddleware.process_response = _store_if_allowed(  # type: ignore[method-assign]
    UpdateCacheMiddleware.process_response
)
