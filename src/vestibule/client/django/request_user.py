"""The user of a request. Whoever asks for it asks who is calling, which caches have to know."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from vestibule.client.django.caching import asked

USER = "vestibule_user"
"""The member of a request that holds the user whom the kit has found."""


def set_user(request: HttpRequest, user: Any) -> None:
    """Have the request's user be `user`."""

    async def same() -> Any:
        return user

    setattr(request, USER, user)
    _watch(request, user, same)


def watch_user(request: HttpRequest) -> None:
    """Leave the user whom Django's own middleware finds for a request, and notice when something asks for it."""
    if isinstance(request.user, SimpleLazyObject):  # else it is of another package, which may set None
        _watch(request, request.user, request.auser)


def _watch(request: HttpRequest, user: Any, find: Callable[[], Awaitable[Any]]) -> None:
    def user_asked_for() -> Any:
        asked(request)
        return user

    async def user_asked_for_async() -> Any:
        asked(request)
        return await find()

    request.user, request.auser = cast(Any, SimpleLazyObject(user_asked_for)), cast(Any, user_asked_for_async)
