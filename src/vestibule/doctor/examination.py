"""Run all checks on this machine's installation. `outside` checks a running server."""

import asyncio
from collections.abc import Awaitable, Callable

from vestibule.doctor import browsers, database, mail, proxies, redis, weak_settings
from vestibule.model.clock import Clock
from vestibule.model.findings import Finding, fault
from vestibule.process.tracebacks import summarize
from vestibule.settings.fields import Settings


async def examine(settings: Settings, clock: Clock) -> list[Finding]:
    """Return the findings of every check on this machine."""
    of_servers = await asyncio.gather(
        _guarded("database", lambda: database.check(settings, clock)),
        _guarded("redis", lambda: redis.check(settings)),
        _guarded("mail", lambda: mail.check(settings)),
    )
    of_settings = (weak_settings.check(settings), browsers.check(settings), proxies.check(settings))
    return [finding for part in (*of_settings, *of_servers) for finding in part]


async def _guarded(subject: str, check: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
    """Return what a check found. If the check itself fails, return a fault, so that the others still report."""
    try:
        return await check()
    except Exception as error:
        what = f"could not be checked: {summarize(error)}"
        return [
            fault(subject, what, "The doctor itself failed, so anything may be wrong there.", "please report this line")
        ]
