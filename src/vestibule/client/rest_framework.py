"""Django REST framework: an authentication class, for `DEFAULT_AUTHENTICATION_CLASSES`.

    REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["vestibule.client.rest_framework.VestibuleAuthentication"]}

Put `VESTIBULE` into the settings, as `vestibule.client.django` shows. That package's middleware is not needed. Where it
is used, the token is not checked a second time. `permission_classes = [with_role("admin")]` also requires a role,
`require_permission("invoices:write")` a permission, `require_level(2)` a second factor, and `require_recent(300)` a
sign-in of the last five minutes; `IsAdminUser` and `DjangoModelPermissions` decide by `VESTIBULE["users"]`.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, ErrorDetail, NotAuthenticated
from rest_framework.permissions import AND, OR, BasePermission
from rest_framework.request import Request

from vestibule.client import requirements
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CallerRefusedError, CannotTellError, NoTokenError
from vestibule.client.django.request_user import USER
from vestibule.client.django.requests import check, known_caller
from vestibule.client.django.settings import verifier
from vestibule.client.requirements import Requirement
from vestibule.client.vary import caller_headers, vary_value

if TYPE_CHECKING:  # the framework's views import this module, by its setting
    from rest_framework.response import Response
    from rest_framework.views import APIView

    Handler = Callable[[Exception, dict[str, Any]], Response | None]


class RefusedError(APIException):
    """A refusal as a REST framework exception. The response has the refusal's `body`, as in every other framework."""

    def __init__(self, refusal: CallerRefusedError) -> None:
        super().__init__(refusal.message, refusal.code)
        self.detail = cast(Any, {name: _detail(value, refusal.code) for name, value in refusal.body.items()})
        self.status_code = refusal.status
        # The framework sends these two as `WWW-Authenticate` and `Retry-After`.
        self.auth_header = refusal.challenge
        self.wait = int(refusal.headers.get("Retry-After", 0))  # the framework takes a number


class _Number(int):
    """A number with a `code`. The framework's `ErrorDetail` has a `code` too, but would turn the number into text."""

    code: str


def _detail(value: str | int, code: str) -> ErrorDetail | _Number:
    if isinstance(value, str):
        return ErrorDetail(value, code)
    number = _Number(value)
    number.code = code
    return number


class VestibuleAuthentication(BaseAuthentication):
    """Sets `request.user` to the user that the middleware would set, and `request.auth` to the `Caller`."""

    def authenticate(self, request: Request) -> tuple[Any, Caller] | None:
        """Return user and caller, or None without a token; raises `RefusedError`."""
        _prepare_view(request.parser_context.get("view"))
        inner: HttpRequest = request._request
        try:
            caller = known_caller(inner) or check(inner)
        except NoTokenError:
            return None
        except CallerRefusedError as refusal:
            raise RefusedError(refusal) from None
        return getattr(inner, USER), caller

    def authenticate_header(self, _request: Request) -> str:
        """Return the `WWW-Authenticate` header for a request without a token that a permission class refuses."""
        # The framework calls this while it handles its own `NotAuthenticated`. Give that exception the kit's body.
        refusal, handled = NoTokenError(), sys.exception()
        if isinstance(handled, NotAuthenticated):
            handled.detail = dict[str, Any](refusal.body)
        return refusal.challenge or ""


def caller_of(request: Request) -> Caller:
    """Return the caller of a request; raises `RefusedError`, with 401 if it has none."""
    caller = known_caller(request._request)
    if caller is not None:
        return caller
    _prepare_view(request.parser_context.get("view"))
    try:
        return check(request._request)  # in a view without the kit's authentication class
    except CallerRefusedError as refusal:
        raise RefusedError(refusal) from None


def with_role(*roles: str) -> type[BasePermission]:
    """Return a permission class that answers 403 unless the caller has one of `roles`. Raises `ValueError` at once if
    none is named.
    """
    return _permission(requirements.of_roles(roles))


def require_permission(permission: str) -> type[BasePermission]:
    """Return a permission class that answers 403 unless a role of the caller has the permission. Raises `ValueError` at
    once for what cannot be one.
    """
    return _permission(requirements.of_permission(permission))


def require_level(level: int) -> type[BasePermission]:
    """Return a permission class that answers 401 unless the caller's sign-in reached `level`. Raises `ValueError` at
    once unless that is 1, 2 or 3.
    """
    return _permission(requirements.of_level(level))


def require_recent(max_age: int) -> type[BasePermission]:
    """Return a permission class that answers 401 unless the caller signed in during the last `max_age` seconds. Raises
    `ValueError` at once unless that is a whole number of 1 or more.
    """
    return _permission(requirements.of_recency(max_age))


def _permission(demanded: Requirement) -> type[BasePermission]:
    class Permission(BasePermission):
        def has_permission(self, request: Request, view: Any) -> bool:
            caller = caller_of(request)
            try:
                demanded.check(caller, lambda: map(requirements.marked, _parts(view.get_permissions())))
            except CannotTellError as refusal:
                raise RefusedError(refusal) from None
            except CallerRefusedError as refusal:
                if not any(isinstance(part, type(self)) for part in _parts(view.get_permissions(), last_of_or=True)):
                    return False  # another operand of `|` may let the caller in, and `~` wants to know
                raise RefusedError(refusal) from None
            return True

    return requirements.mark(Permission, demanded)


def _parts(permissions: Iterable[Any], *, last_of_or: bool = False) -> Iterator[Any]:
    """Yield permissions: for `a & b` yield both operands. With `last_of_or`, yield only `b` for `a | b`: `b` is asked
    only after `a` has refused.
    """
    for permission in permissions:
        if isinstance(permission, AND):
            yield from _parts(vars(permission).values(), last_of_or=last_of_or)
        elif isinstance(permission, OR) and last_of_or:
            yield from _parts([vars(permission)["op2"]], last_of_or=True)
        else:
            yield permission


def _prepare_view(view: "APIView | None") -> None:
    """Have a view answer refusals, and name in `Vary` what finds the caller. Each request has its own view object."""
    if view is not None:
        view.headers["Vary"] = vary_value([view.headers.get("Vary", "")], caller_headers(verifier()))
        handler = cast("Handler", view.get_exception_handler())
        view.get_exception_handler = lambda: partial(_response_to, handler)  # type: ignore[method-assign]


def _response_to(handler: "Handler", fault: Exception, context: dict[str, Any]) -> "Response | None":
    """Return the project's response to an exception. No cache may store the response to a refusal."""
    fault = RefusedError(fault) if isinstance(fault, CallerRefusedError) else fault
    response = handler(fault, context)
    if response is not None and isinstance(fault, RefusedError | NotAuthenticated):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
