"""Keep Django's caches from giving one caller's page to another.

A cache outside of the kit's middleware (`UpdateCacheMiddleware`) reads `Vary`. One between that and the view
(`cache_page`) stores the page before `Vary` is there, so it stores none for which a view has asked who is calling.
"""

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from vestibule.client.django.settings import verifier
from vestibule.client.vary import depends_on

_STORES = "_cache_update_cache"  # of Django: whether a cache may store the answer to this request
_STORED_OUTSIDE = "_vestibule_stored_outside"


def asked(request: HttpRequest) -> None:
    """Note that the view has asked who is calling: no cache around it alone may store its answer."""
    if getattr(request, _STORES, False):
        setattr(request, _STORES, False)
        setattr(request, _STORED_OUTSIDE, True)


def varying(response: HttpResponseBase, request: HttpRequest | None = None) -> None:
    """Name in `Vary` what the answer depends on, and let caches store the answer to `request` from here on."""
    patch_vary_headers(response, depends_on(verifier()))
    if getattr(request, _STORED_OUTSIDE, False):
        setattr(request, _STORES, True)
