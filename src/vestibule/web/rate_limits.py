"""Rate limits: how often one network may use the routes of a rate class."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request

from vestibule.model.errors import TooManyRequests
from vestibule.model.limits import RateClass, network_of
from vestibule.web.caller import env_of, network_address


def within_rate_limit(rate_class: RateClass) -> Callable[[Request], Awaitable[None]]:
    """Return a dependency that raises `TooManyRequests` if the caller's network has reached its limit."""

    async def count(request: Request) -> None:
        env = await env_of(request)
        network = network_of(await network_address(request))
        wait = await env.limiter.count_or_wait(env.policy.networks.of(rate_class), network)
        if wait is not None:
            raise TooManyRequests(wait)

    return count
