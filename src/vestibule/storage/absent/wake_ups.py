"""`model.revocations.WakeUps` where there is no way to wake other processes: they only poll the database."""

import asyncio
from collections.abc import AsyncIterator


class NoWakeUps:
    """Wakes nobody. Other processes see a revocation at their next poll."""

    async def send(self) -> None:
        return None

    async def listen(self) -> AsyncIterator[None]:
        await asyncio.Event().wait()  # forever
        yield  # never reached; makes this an asynchronous generator
