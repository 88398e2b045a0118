"""`model.revocations.WakeUps` where only the record itself wakes others."""

import asyncio
from collections.abc import AsyncIterator


class NoWakeUps:
    """Wakes nobody: the process tells itself directly, others on the same SQLite file see it at their next poll."""

    async def send(self) -> None:
        return None

    async def listen(self) -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield
