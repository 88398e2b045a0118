"""Guards for views, async or not."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpResponseBase

from vestibule.client import arguments
from vestibule.client.caller import Caller, require_role_names
from vestibule.client.django.caching import add_vary, innermost
from vestibule.client.django.requests import check, check_async, known_caller, refused
from vestibule.client.errors import CallerRefusedError

Req = TypeVar("Req")
P = ParamSpec("P")
T = TypeVar("T")


def signed_in(view: Callable[Concatenate[Req, P], T]) -> Callable[Concatenate[Req, P], T]:
    """Answer 401 unless the request has a caller. A user whom Django itself signed in, without a token, is no
    caller.
    """
    return _guard(view, ())


def with_role(*roles: str) -> Callable[[Callable[Concatenate[Req, P], T]], Callable[Concatenate[Req, P], T]]:
    """Answer 403 unless the caller has one of `roles`. Raises `ValueError` at once if none is named."""
    require_role_names(roles)
    return lambda view: _guard(view, roles)


def _guard(view: Callable[Concatenate[Req, P], T], roles: tuple[str, ...]) -> Callable[Concatenate[Req, P], T]:
    """Return a view that requires a caller, and one of `roles` if there are any."""
    arguments.function("view", view)

    @wraps(view)
    def guarded(request: Req, *args: P.args, **kwargs: P.kwargs) -> Any:
        refusal = _refusal(request, roles)
        return refused(refusal) if refusal else _with_vary(view(request, *args, **kwargs))

    @wraps(view)
    async def guarded_async(request: Req, *args: P.args, **kwargs: P.kwargs) -> Any:
        refusal = await _refusal_async(request, roles)
        return refused(refusal) if refusal else _with_vary(await cast(Any, view(request, *args, **kwargs)))

    return cast(Callable[Concatenate[Req, P], T], guarded_async if _is_async(view) else guarded)


def _is_async(view: Any) -> bool:
    """Return whether a view must be awaited.

    `View.dispatch` must be if the handlers of its class are async, although it is an ordinary function: it returns
    their coroutine. `method_decorator` passes the guard a `partial` of the method, so look into that too.
    """
    if iscoroutinefunction(view):
        return True
    while view is not None:
        view_object = getattr(getattr(view, "func", view), "__self__", None)
        if getattr(view_object, "view_is_async", False):
            return True
        view = getattr(view, "__wrapped__", None)
    return False


def _refusal(request: Any, roles: tuple[str, ...]) -> CallerRefusedError | None:
    """Return why a request is refused, or None. Check the request if no middleware has checked it."""
    try:
        _require(known_caller(request) or check(innermost(request)), roles)
    except CallerRefusedError as refusal:
        return refusal
    return None


async def _refusal_async(request: Any, roles: tuple[str, ...]) -> CallerRefusedError | None:
    try:
        _require(known_caller(request) or await check_async(innermost(request)), roles)
    except CallerRefusedError as refusal:
        return refusal
    return None


def _require(caller: Caller, roles: tuple[str, ...]) -> None:
    if roles:
        caller.require(*roles)


def _with_vary(answer: Any) -> Any:
    """Return the answer of a view, with `Vary`: there may be no middleware to add it."""
    if isinstance(answer, HttpResponseBase):
        add_vary(answer)
    return answer
