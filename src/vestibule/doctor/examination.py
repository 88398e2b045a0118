"""Both examinations: of what this machine is set up with, and of a server as its visitors see it."""

import asyncio

from vestibule.doctor import browsers, database, mail, outside, proxies, redis, settings
from vestibule.model.clock import Clock
from vestibule.model.findings import Finding
from vestibule.settings import Settings


async def examine(chosen: Settings, clock: Clock) -> list[Finding]:
    """Everything that can be looked at from the machine itself."""
    of_servers = await asyncio.gather(database.look(chosen, clock), redis.look(chosen), mail.look(chosen))
    of_settings = (settings.look(chosen), browsers.look(chosen), proxies.look(chosen))
    return [finding for part in (*of_settings, *of_servers) for finding in part]


async def examine_from_outside(chosen: Settings, clock: Clock, url: str) -> list[Finding]:
    """The server at `url`, with the front-ends' origins of these settings."""
    return await asyncio.to_thread(outside.look, chosen, clock, url)
