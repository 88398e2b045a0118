"""Set `request.user`, and notice when something reads it: the page then depends on the caller, which caches
must know.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from vestibule.client.django.caching import note_asked

USER = "vestibule_user"
"""The attribute of a request that holds the user whom the kit has found."""


def set_user(request: HttpRequest, user: Any) -> None:
    """Set the request's user."""

    async def known_user() -> Any:
        return user

    setattr(request, USER, user)
    _watch(request, user, known_user)


def watch_user(request: HttpRequest) -> None:
    """Keep the user whom Django's own middleware finds for a request, but notice when something reads it."""
    if isinstance(request.user, SimpleLazyObject):  # otherwise another package has set it, maybe to None
        _watch(request, request.user, request.auser)


def _watch(request: HttpRequest, user: Any, find: Callable[[], Awaitable[Any]]) -> None:
    def user_asked_for() -> Any:
        note_asked(request)
        return user

    async def user_asked_for_async() -> Any:
        note_asked(request)
        return await find()

    request.user, request.auser = cast(Any, SimpleLazyObject(user_asked_for)), cast(Any, user_asked_for_async)
