"""Give up an answer of the feed that sends nothing useful."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from vestibule.client import wire


class Deadline:
    """When one answer is given up: `silence` seconds after its last useful event, and at the latest `whole` seconds
    after the request, unless `lift_whole` is called.

    httpx's own timeout begins anew with each byte, so a proxy's comments, interim responses (RFC 9110, section 15.2)
    or endless headers would hold a service for ever.
    """

    def __init__(self, silence: float, whole: float) -> None:
        self._now = asyncio.get_running_loop().time
        self._silence = silence
        self._latest = self._now() + whole
        connecting = 2 * wire.CONNECT_SECONDS  # TCP, then TLS: httpx bounds each
        self._timeout = asyncio.timeout_at(min(self._now() + connecting + silence, self._latest))

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Raise `httpx.ReadTimeout` in the block when the time is over."""
        try:
            async with self._timeout:
                yield
        except TimeoutError:
            raise httpx.ReadTimeout("") from None

    def move(self) -> None:
        """Count `silence` from now on."""
        self._timeout.reschedule(min(self._now() + self._silence, self._latest))

    def lift_whole(self) -> None:
        """Let the answer last for as long as useful events come."""
        self._latest = float("inf")
