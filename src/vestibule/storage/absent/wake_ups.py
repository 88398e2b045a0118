"""`model.revocations.WakeUps` where only the record itself wakes others."""

import asyncio
from collections.abc import AsyncIterator


class NoWakeUps:
    """A lone process tells itself directly; others on the same SQLite file find out at their next look."""

    async def send(self) -> None:
        return None

    async def listen(self) -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield
