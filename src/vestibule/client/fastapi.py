"""FastAPI: the caller as a dependency, with its security scheme in the OpenAPI document.

    current_user = CurrentUser(Verifier("https://auth.example.com", service_key="vsk_…"))

    @app.get("/orders")
    async def orders(caller: Annotated[Caller, Depends(current_user)]): ...

`Depends(current_user.with_role("admin"))` demands a role as well.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from vestibule.client.caller import Caller
from vestibule.client.credentials import presented
from vestibule.client.errors import CallerRefused
from vestibule.client.verifier import Verifier


class CurrentUser(SecurityBase):
    """A dependency that is the `Caller`. Refuses with an `HTTPException`, as FastAPI's own security does."""

    def __init__(self, verifier: Verifier) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="An access token of Vestibule")
        self.scheme_name = "Vestibule"
        self._verifier = verifier

    async def __call__(self, request: Request) -> Caller:
        cookie = request.cookies.get(self._verifier.cookie) if self._verifier.cookie else None
        try:
            token = presented(request.headers.getlist("authorization"), cookie)
            return await self._verifier.check_async(token)
        except CallerRefused as refusal:
            raise as_http(refusal) from None

    def with_role(self, *roles: str) -> Callable[[Caller], Awaitable[Caller]]:
        """A dependency that is the caller, if the role is one of these; 403 otherwise."""

        async def allowed(caller: Annotated[Caller, Depends(self)]) -> Caller:
            try:
                caller.require(*roles)
            except CallerRefused as refusal:
                raise as_http(refusal) from None
            return caller

        return allowed


def as_http(refusal: CallerRefused) -> HTTPException:
    """The refusal, as FastAPI answers it."""
    return HTTPException(refusal.status, refusal.message, refusal.headers)
