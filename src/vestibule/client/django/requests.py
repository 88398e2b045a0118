"""Find the token of a request, its caller, and the user who stands for the caller; respond to refusals."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth import aauthenticate, authenticate
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers import exception
from django.http import HttpRequest, JsonResponse

from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CallerRefusedError, NotAllowedError, NoTokenError
from vestibule.client.credentials import token_in
from vestibule.client.django.caching import add_vary, note_asked, note_caller
from vestibule.client.django.request_user import set_user
from vestibule.client.django.settings import user_rules, verifier
from vestibule.client.django.users import VestibuleUser
from vestibule.client.throttled_warnings import ThrottledWarnings
from vestibule.client.wsgi import raw_headers
from vestibule.protocol.cookies import RawHeaders
from vestibule.protocol.credentials import bearer

CALLER = "vestibule_caller"
"""The attribute of a request, and of a row of the project's user model, that holds the `Caller` or None."""
_UNCHECKED = "nothing has checked who is calling"
_ADD_MIDDLEWARE = (
    "add vestibule.client.django.VestibuleMiddleware to MIDDLEWARE, above what asks, or put @signed_in around the view"
)
_warnings = ThrottledWarnings()
_CSRF_EXEMPT = "_dont_enforce_csrf_checks"  # Django's own attribute, which its test client sets too


def token_of(request: HttpRequest) -> str:
    """Return the token of a request; raises `NoTokenError`, `CredentialAmbiguousError` or `CrossSiteError`."""
    note_asked(request)
    return sent_token(request)


def sent_token(request: HttpRequest) -> str:
    """Return the token as `token_of` does, but do not note that the page depends on the caller: for checks of every
    request.
    """
    return token_in(verifier(), str(request.method), _headers_of(request), str(request.scheme))


def skip_csrf_check_of_bearer(request: HttpRequest) -> None:
    """Exempt a request with a Bearer token from Django's CSRF check: no other site can make a browser send one. A
    request with the cookie, which any site can cause, stays under Django's check and that of `token_of`.
    """
    if bearer(_headers_of(request)) is not None:
        setattr(request, _CSRF_EXEMPT, True)


def caller_of(request: HttpRequest) -> Caller:
    """Return the caller of a request; raises `NoTokenError` if it has none, and `ImproperlyConfigured` if nothing has
    checked the request.
    """
    caller = known_caller(request)  # first, because it notes that the page depends on the caller
    if not hasattr(request, CALLER):
        _warnings.warn(_UNCHECKED, _ADD_MIDDLEWARE)  # where DEBUG is off, Django logs the exception below nowhere
        raise ImproperlyConfigured(f"{_UNCHECKED}: {_ADD_MIDDLEWARE}")
    if caller is None:
        raise NoTokenError
    return caller


def known_caller(request: HttpRequest) -> Caller | None:
    """Return the caller of a request, or None."""
    note_asked(request)
    return cast(Caller | None, getattr(request, CALLER, None))


def user_for(request: HttpRequest, caller: Caller) -> Any:
    """Return a `VestibuleUser`, or the row of the project's user model; raises `NotAllowedError` if there is none."""
    if not user_rules().model:
        return VestibuleUser(caller)
    return _require_user(authenticate(request, caller=caller))


def check(request: HttpRequest) -> Caller:
    """Check a request that no middleware has checked, set its caller and user, and return the caller; raises
    `CallerRefusedError`.
    """
    setattr(request, CALLER, None)
    caller = verifier().check(sent_token(request))
    return set_caller(request, caller, user_for(request, caller))


async def check_async(request: HttpRequest) -> Caller:
    """Do what `check` does, in an async view; return and raise as `check` does."""
    setattr(request, CALLER, None)
    caller = await verifier().check_async(sent_token(request))
    return set_caller(request, caller, await user_for_async(request, caller))


def set_caller(request: HttpRequest, caller: Caller, user: Any) -> Caller:
    """Set the caller and the user of a request, and return the caller."""
    setattr(request, CALLER, caller)
    note_caller(request)
    skip_csrf_check_of_bearer(request)
    set_user(request, user)
    return caller


async def user_for_async(request: HttpRequest, caller: Caller) -> Any:
    """Return what `user_for` returns, in an async view; raises as it does."""
    if not user_rules().model:
        return VestibuleUser(caller)
    return _require_user(await aauthenticate(request, caller=caller))


def refused(refusal: CallerRefusedError) -> JsonResponse:
    """Return the response for a refusal."""
    response = JsonResponse(refusal.body, status=refusal.status, headers=refusal.headers)
    add_vary(response)
    return response


def _with_refusals(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap Django's function that responds to an exception: a refusal gets `refused`, not 500. Django calls the
    function for what a middleware raises, and does not call `process_exception` for that.
    """

    @wraps(answer)
    def response_for_exception(request: HttpRequest, fault: Exception) -> Any:
        return refused(fault) if isinstance(fault, CallerRefusedError) else answer(request, fault)

    return response_for_exception


exception.response_for_exception = _with_refusals(exception.response_for_exception)


def _headers_of(request: HttpRequest) -> RawHeaders:
    scope = getattr(request, "scope", None)  # under ASGI. `META` would join headers of the same name
    return scope["headers"] if scope else raw_headers(request.META)


def _require_user(user: Any) -> Any:
    if user is None:  # the project has disabled this user, or its own backend refused
        raise NotAllowedError
    return user
