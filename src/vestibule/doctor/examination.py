"""Run all checks: of this machine's installation, or of a server as its visitors see it."""

import asyncio
from collections.abc import Awaitable

from vestibule.doctor import browsers, database, mail, outside, proxies, redis, settings
from vestibule.model.clock import Clock
from vestibule.model.findings import Finding, fault
from vestibule.process.tracebacks import summarize
from vestibule.settings.fields import Settings


async def examine(chosen: Settings, clock: Clock) -> list[Finding]:
    """Return the findings of every check on this machine."""
    of_servers = await asyncio.gather(
        _guarded("database", database.look(chosen, clock)),
        _guarded("redis", redis.look(chosen)),
        _guarded("mail", mail.look(chosen)),
    )
    of_settings = (settings.look(chosen), browsers.look(chosen), proxies.look(chosen))
    return [finding for part in (*of_settings, *of_servers) for finding in part]


async def _guarded(subject: str, look: Awaitable[list[Finding]]) -> list[Finding]:
    """Return what a check found, or a fault if it failed itself, so that the others still report."""
    try:
        return await look
    except Exception as error:
        what = f"could not be looked at: {summarize(error)}"
        return [fault(subject, what, "What is wrong there is not known.", "report this line, please")]


async def examine_from_outside(chosen: Settings, clock: Clock, url: str) -> list[Finding]:
    """Return findings about the server at `url`, checked for the front-ends in these settings."""
    return await asyncio.to_thread(outside.look, chosen, clock, url)
