"""The token of a request, its caller, and the user who stands for the caller; answers to refusals."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth import aauthenticate, authenticate
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers import exception
from django.http import HttpRequest, JsonResponse

from vestibule.client.caller import Caller
from vestibule.client.credentials import token_in
from vestibule.client.django.caching import asked, has_caller, varying
from vestibule.client.django.request_user import set_user
from vestibule.client.django.settings import user_rules, verifier
from vestibule.client.django.users import VestibuleUser
from vestibule.client.errors import CallerRefusedError, NotAllowedError, NoTokenError
from vestibule.client.wsgi import raw_headers
from vestibule.protocol.cookies import RawHeaders
from vestibule.protocol.credentials import bearer

CALLER = "vestibule_caller"
"""The member of a request, and of a row of the project's user model, that holds the `Caller`, or None."""
_UNCHECKED = (
    "nothing has checked who is calling: add vestibule.client.django.VestibuleMiddleware to MIDDLEWARE, above what"
    " asks, or put @signed_in around the view"
)
_SPARED = "_dont_enforce_csrf_checks"  # of Django, whose test client sets it


def token_of(request: HttpRequest) -> str:
    """Return the token of a request; raises `NoTokenError`, `CredentialAmbiguousError` or `CrossSiteError`."""
    asked(request)
    return sent_token(request)


def sent_token(request: HttpRequest) -> str:
    """Return the same, for a check that every request undergoes: the page need not depend on the caller."""
    return token_in(verifier(), str(request.method), _headers_of(request), str(request.scheme))


def spare_csrf_check(request: HttpRequest) -> None:
    """Keep Django's CSRF check from a request whose token is a Bearer: no site can make a browser send one. A cookie,
    which any site can, is checked by Django as ever, and by `token_of` before.
    """
    if bearer(_headers_of(request)) is not None:
        setattr(request, _SPARED, True)


def caller_of(request: HttpRequest) -> Caller:
    """Return the caller of a request; raises `NoTokenError` if it has none, and `ImproperlyConfigured` if nothing has
    checked that.
    """
    caller = known_caller(request)
    if not hasattr(request, CALLER):
        raise ImproperlyConfigured(_UNCHECKED)
    if caller is None:
        raise NoTokenError
    return caller


def known_caller(request: HttpRequest) -> Caller | None:
    """Return the caller of a request, or None."""
    asked(request)
    return cast(Caller | None, getattr(request, CALLER, None))


def user_for(request: HttpRequest, caller: Caller) -> Any:
    """Return a `VestibuleUser`, or the row of the project's user model; raises `NotAllowedError` if there is none."""
    if not user_rules().model:
        return VestibuleUser(caller)
    return _found(authenticate(request, caller=caller))


def check(request: HttpRequest) -> Caller:
    """Check a request that no middleware has checked, and set its caller and user; raises `CallerRefusedError`."""
    setattr(request, CALLER, None)
    caller = verifier().check(sent_token(request))
    return take(request, caller, user_for(request, caller))


async def check_async(request: HttpRequest) -> Caller:
    """Do the same, in a task."""
    setattr(request, CALLER, None)
    caller = await verifier().check_async(sent_token(request))
    return take(request, caller, await user_for_async(request, caller))


def take(request: HttpRequest, caller: Caller, user: Any) -> Caller:
    """Set the caller and the user of a request, and return the caller."""
    setattr(request, CALLER, caller)
    has_caller(request)
    spare_csrf_check(request)
    set_user(request, user)
    return caller


async def user_for_async(request: HttpRequest, caller: Caller) -> Any:
    """Return the same, in a task."""
    if not user_rules().model:
        return VestibuleUser(caller)
    return _found(await aauthenticate(request, caller=caller))


def refused(refusal: CallerRefusedError) -> JsonResponse:
    """Return the response for a refusal."""
    response = JsonResponse(refusal.body, status=refusal.status, headers=refusal.headers)
    varying(response)
    return response


def _answering_refusals(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return Django's way to answer an exception, with `refused` for a refusal, not 500. Django uses it around
    each middleware, and asks no `process_exception` about what one of them raised.
    """

    @wraps(answer)
    def response_for_exception(request: HttpRequest, fault: Exception) -> Any:
        return refused(fault) if isinstance(fault, CallerRefusedError) else answer(request, fault)

    return response_for_exception


exception.response_for_exception = _answering_refusals(exception.response_for_exception)


def _headers_of(request: HttpRequest) -> RawHeaders:
    scope = getattr(request, "scope", None)  # under ASGI; `META` would join headers of the same name
    return scope["headers"] if scope else raw_headers(request.META)


def _found(user: Any) -> Any:
    if user is None:  # the project has disabled them, or a backend of its own says no
        raise NotAllowedError
    return user
