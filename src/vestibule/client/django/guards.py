"""Guards for views, async or not."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpResponseBase

from vestibule.client import arguments, requirements
from vestibule.client.caller_errors import CallerRefusedError
from vestibule.client.django.caching import add_vary, innermost
from vestibule.client.django.requests import check, check_async, known_caller, refused
from vestibule.client.requirements import SIGNED_IN, Requirement

Req = TypeVar("Req")
P = ParamSpec("P")
T = TypeVar("T")
Others = Callable[[], Iterable[Requirement]]


def signed_in(view: Callable[Concatenate[Req, P], T]) -> Callable[Concatenate[Req, P], T]:
    """Return the view, guarded: it answers 401 unless the request has a caller. A user whom Django itself signed in,
    without a token, is no caller.
    """
    return _guard(view, SIGNED_IN)


def with_role(*roles: str) -> Callable[[Callable[Concatenate[Req, P], T]], Callable[Concatenate[Req, P], T]]:
    """Return a decorator: the view answers 403 unless the caller has one of `roles`. Raises `ValueError` at once if
    none is named.
    """
    requirement = requirements.of_roles(roles)
    return lambda view: _guard(view, requirement)


def require_permission(
    permission: str,
) -> Callable[[Callable[Concatenate[Req, P], T]], Callable[Concatenate[Req, P], T]]:
    """Return a decorator: the view answers 403 unless a role of the caller has the permission. Raises `ValueError` at
    once for what cannot be one.
    """
    requirement = requirements.of_permission(permission)
    return lambda view: _guard(view, requirement)


def require_level(level: int) -> Callable[[Callable[Concatenate[Req, P], T]], Callable[Concatenate[Req, P], T]]:
    """Return a decorator: the view answers 401 unless the caller's sign-in reached `level`. Raises `ValueError` at once
    unless that is 1, 2 or 3.
    """
    requirement = requirements.of_level(level)
    return lambda view: _guard(view, requirement)


def require_recent(max_age: int) -> Callable[[Callable[Concatenate[Req, P], T]], Callable[Concatenate[Req, P], T]]:
    """Return a decorator: the view answers 401 unless the caller signed in during the last `max_age` seconds. Raises
    `ValueError` at once unless `max_age` is a whole number of 1 or more.
    """
    requirement = requirements.of_recency(max_age)
    return lambda view: _guard(view, requirement)


def _guard(view: Callable[Concatenate[Req, P], T], requirement: Requirement) -> Callable[Concatenate[Req, P], T]:
    """Return a view that requires a caller who meets the requirement."""
    inner = requirements.marked(arguments.function("view", view))

    def others() -> Iterable[Requirement]:
        return [inner]

    @wraps(view)
    def guarded(request: Req, *args: P.args, **kwargs: P.kwargs) -> Any:
        refusal = _refusal(request, requirement, others)
        return refused(refusal) if refusal else _with_vary(view(request, *args, **kwargs))

    @wraps(view)
    async def guarded_async(request: Req, *args: P.args, **kwargs: P.kwargs) -> Any:
        refusal = await _refusal_async(request, requirement, others)
        return refused(refusal) if refusal else _with_vary(await cast(Any, view(request, *args, **kwargs)))

    chosen = requirements.mark(guarded_async if _is_async(view) else guarded, requirement & inner)
    return cast(Callable[Concatenate[Req, P], T], chosen)


def _is_async(view: Any) -> bool:
    """Return whether a view must be awaited.

    `View.dispatch` is an ordinary function, but returns a coroutine if the handlers of its class are async.
    `method_decorator` passes the guard a `partial` of the method, so look into that too.
    """
    if iscoroutinefunction(view):
        return True
    while view is not None:
        view_object = getattr(getattr(view, "func", view), "__self__", None)
        if getattr(view_object, "view_is_async", False):
            return True
        view = getattr(view, "__wrapped__", None)
    return False


def _refusal(request: Any, requirement: Requirement, others: Others) -> CallerRefusedError | None:
    """Return why a request is refused, or None. Check the request if no middleware has checked it."""
    try:
        requirement.check(known_caller(request) or check(innermost(request)), others)
    except CallerRefusedError as refusal:
        return refusal
    return None


async def _refusal_async(request: Any, requirement: Requirement, others: Others) -> CallerRefusedError | None:
    try:
        requirement.check(known_caller(request) or await check_async(innermost(request)), others)
    except CallerRefusedError as refusal:
        return refusal
    return None


def _with_vary(answer: Any) -> Any:
    """Return the answer of a view, with `Vary`: there may be no middleware to add it."""
    if isinstance(answer, HttpResponseBase):
        add_vary(answer)
    return answer
