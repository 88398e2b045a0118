"""The middleware that checks tokens, and sets `request.user`."""

from collections.abc import Awaitable, Callable
from inspect import signature
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.apps import apps
from django.contrib.auth import get_backends
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from vestibule.client import arguments
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CallerRefusedError, NoTokenError
from vestibule.client.django.caching import add_vary
from vestibule.client.django.request_user import set_user, watch_user
from vestibule.client.django.requests import CALLER, refused, sent_token, set_caller, user_for, user_for_async
from vestibule.client.django.settings import user_rules, verifier
from vestibule.client.django.users import Nobody

_SET_USER_AGAIN = "_vestibule_set_user_again"


class VestibuleMiddleware:
    """Sets `request.user` to the caller, and answers a rejected token without the view.

    A request without a token keeps the user whom Django's `AuthenticationMiddleware` found, or gets `Nobody`. With a
    token, the caller is the user of this request, whatever the Django session says, and the session is not changed. A
    request with a Bearer token needs no Django CSRF token. A request with the cookie needs one.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        verifier()  # made now, so that a wrong argument stops the start
        _require_consistent_settings()
        self._get_response = arguments.function("get_response", get_response)
        self._is_async = iscoroutinefunction(get_response)
        self.process_view: Callable[..., Any] = _restore_async if self._is_async else _restore
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._call_async(request)
        try:
            caller = verifier().check(sent_token(request))
            _set_caller_for_view(request, caller, user_for(request, caller))
        except NoTokenError:
            _note_no_caller(request)
        except CallerRefusedError as refusal:
            return refused(refusal)
        answer: HttpResponseBase = self._get_response(request)
        add_vary(answer)
        return answer

    def process_exception(self, _request: HttpRequest, fault: Exception) -> JsonResponse | None:
        """Return the response to a refusal that a view raised, as `caller_of` and `Caller.require` do; None for any
        other exception.
        """
        return refused(fault) if isinstance(fault, CallerRefusedError) else None

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        try:
            caller = await verifier().check_async(sent_token(request))
            _set_caller_for_view(request, caller, await user_for_async(request, caller))
        except NoTokenError:
            _note_no_caller(request)
        except CallerRefusedError as refusal:
            return refused(refusal)
        answer: HttpResponseBase = await self._get_response(request)
        add_vary(answer)
        return answer


def _set_caller_for_view(request: HttpRequest, caller: Caller, user: Any) -> None:
    """Set caller and user. If no middleware has set a user yet, a later one may replace ours: `_restore` then sets ours
    again.
    """
    if not hasattr(request, "user"):
        setattr(request, _SET_USER_AGAIN, lambda: set_user(request, user))
    set_caller(request, caller, user)


def _note_no_caller(request: HttpRequest) -> None:
    """Keep the user whom Django's own middleware has found, or finds later; until then the user is `Nobody`."""
    setattr(request, CALLER, None)
    if hasattr(request, "user"):
        watch_user(request)
    else:
        set_user(request, Nobody())
        setattr(request, _SET_USER_AGAIN, lambda: watch_user(request))


def _restore(request: HttpRequest, *_view: Any) -> None:
    """Set the user again, right before the view: if Django's own middleware comes after this one, it replaced
    the user.
    """
    set_user_again: Callable[[], None] | None = getattr(request, _SET_USER_AGAIN, None)
    if set_user_again:
        set_user_again()


async def _restore_async(request: HttpRequest, *_view: Any) -> None:
    _restore(request)


def _require_consistent_settings() -> None:
    rules = user_rules()
    if rules.model and not any("caller" in signature(backend.authenticate).parameters for backend in get_backends()):
        raise ImproperlyConfigured(
            'VESTIBULE["users"]["model"] is True, and no backend takes callers: add '
            "vestibule.client.django.backend.VestibuleBackend to AUTHENTICATION_BACKENDS"
        )
    if rules.staff_roles and not rules.model and apps.is_installed("django.contrib.admin"):
        raise ImproperlyConfigured(
            'VESTIBULE["users"] has staff_roles, and the log of Django\'s admin names rows of the user model: add '
            '"model": True, or take django.contrib.admin out of INSTALLED_APPS'
        )
