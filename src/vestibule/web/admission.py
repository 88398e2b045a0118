"""Admission: what hashes a password has a place in the line for it before anything else is done for the request."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from vestibule.web.body import arrive
from vestibule.web.caller import env_of

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class AdmittedRoute(APIRoute):
    """A route that hashes; raises `Overloaded` where no slot is left, before the limits and the guards."""

    def get_route_handler(self) -> Handle:
        return admitted(super().get_route_handler())


def admitted(handle: Handle) -> Handle:
    """Return `handle` on an admission slot; it raises `Overloaded` if none is left."""

    async def answer(request: Request) -> Response:
        await arrive(request)  # whose body comes slowly would keep a slot from others
        async with (await env_of(request)).passwords.admission_slot():
            return await handle(request)

    return answer
