"""Find the service that sends a request, by the service key in `Authorization: Bearer`."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from vestibule.flows.service_keys import identify_service
from vestibule.model.errors import ServiceKeyInvalid, TooManyRequests
from vestibule.model.limits import network_of
from vestibule.model.service_keys import ServiceKey, digest_of
from vestibule.web.caller import bearer, env_of, network_address
from vestibule.web.site import site_of


async def service(request: Request) -> ServiceKey:
    """Return the service that sent its key; raises `ServiceKeyInvalid`, or `TooManyRequests` after many wrong ones."""
    env, wrong_keys = await env_of(request), site_of(request).wrong_keys
    key, network = bearer(request.headers.raw) or "", network_of(await network_address(request))
    retry_after = wrong_keys.retry_after(key, network, env.clock)
    if retry_after is not None:
        raise TooManyRequests(retry_after)
    try:
        service_key = await identify_service(env, key)
    except ServiceKeyInvalid:
        if digest_of(key) is not None:  # a malformed key costs no query
            wrong_keys.count(network)
        raise
    wrong_keys.remember_right_key(service_key)
    return service_key


AskingService = Annotated[ServiceKey, Depends(service)]
