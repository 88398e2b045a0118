"""Which service is asking: a service key as `Authorization: Bearer`, and nowhere else."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from vestibule.flows.services import identify_service
from vestibule.model.service_keys import ServiceKey
from vestibule.web.caller import bearer, env_of


async def service(request: Request) -> ServiceKey:
    """The service, by its key; raises `ServiceKeyInvalid`."""
    return await identify_service(await env_of(request), bearer(request.headers.raw) or "")


AskingService = Annotated[ServiceKey, Depends(service)]
