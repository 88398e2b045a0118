"""The guards that come first: is there room for another hash, and how often does one network do this?"""

from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request

from vestibule.model.errors import TooManyRequests
from vestibule.model.limits import Counted, network_of
from vestibule.web.caller import env_of, network_address


def within_limit(counted: Counted) -> Callable[[Request], Awaitable[None]]:
    """A dependency that raises `TooManyRequests` where the caller's network has reached its limit."""

    async def count(request: Request) -> None:
        env = await env_of(request)
        network = network_of(await network_address(request))
        wait = await env.limiter.take(env.policy.networks.of(counted), network)
        if wait is not None:
            raise TooManyRequests(wait)

    return count


async def seated(request: Request) -> AsyncIterator[None]:
    """A dependency for what hashes a password; raises `Overloaded`, before anything is asked of anybody."""
    env = await env_of(request)
    with env.passwords.seat():
        yield
