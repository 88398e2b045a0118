"""Admission: a request that needs a password hash takes one of a fixed number of slots once its body has
arrived, before any limit or guard.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from vestibule.web.body import wait_for_body
from vestibule.web.caller import env_of

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class AdmittedRoute(APIRoute):
    """A route that hashes passwords or codes. It raises `Overloaded` if no slot is free, before any limit or guard
    runs.
    """

    def get_route_handler(self) -> Handler:
        """Return the handler of the route's requests. FastAPI calls this once for each route."""
        return admitted(super().get_route_handler())


def admitted(handle: Handler) -> Handler:
    """Return a handler that takes an admission slot and calls `handle`. The handler raises `Overloaded` if no slot is
    free.
    """

    async def answer(request: Request) -> Response:
        await wait_for_body(request)  # first: a client that sends its body slowly must not hold a slot
        async with (await env_of(request)).passwords.admission_slot():
            return await handle(request)

    return answer
