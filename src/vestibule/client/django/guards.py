"""Guards of views, for those that are async and those that are not."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from asgiref.sync import iscoroutinefunction

from vestibule.client.django.requests import caller_of, refused
from vestibule.client.errors import CallerRefusedError

Req = TypeVar("Req")
P = ParamSpec("P")
T = TypeVar("T")


def signed_in(view: Callable[Concatenate[Req, P], T]) -> Callable[Concatenate[Req, P], T]:
    """Answer 401 unless the request has a caller. A user of Django's own, without a token, is none."""
    return with_role()(view)


def with_role(*roles: str) -> Callable[[Callable[Concatenate[Req, P], T]], Callable[Concatenate[Req, P], T]]:
    """Answer 403 unless the caller has one of `roles`; any role will do if none is given."""

    def guard(view: Callable[Concatenate[Req, P], T]) -> Callable[Concatenate[Req, P], T]:
        @wraps(view)
        def guarded(request: Req, *arguments: P.args, **named: P.kwargs) -> Any:
            refusal = _refusal(request, roles)
            return refused(refusal) if refusal else view(request, *arguments, **named)

        @wraps(view)
        async def guarded_async(request: Req, *arguments: P.args, **named: P.kwargs) -> Any:
            refusal = _refusal(request, roles)
            return refused(refusal) if refusal else await cast(Any, view(request, *arguments, **named))

        return cast(Callable[Concatenate[Req, P], T], guarded_async if iscoroutinefunction(view) else guarded)

    return guard


def _refusal(request: Any, roles: tuple[str, ...]) -> CallerRefusedError | None:
    try:
        caller = caller_of(request)
        if roles:
            caller.require(*roles)
    except CallerRefusedError as refusal:
        return refusal
    return None
