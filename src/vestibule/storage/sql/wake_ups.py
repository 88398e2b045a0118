"""`model.revocations.WakeUps` on PostgreSQL: LISTEN and NOTIFY."""

import asyncio
from collections.abc import AsyncIterator

import structlog

from vestibule.model.errors import StoreUnavailable
from vestibule.process.tracebacks import summarize
from vestibule.storage.outage import Outage
from vestibule.storage.sql.engine import Engines

CHANNEL = "vestibule_revocations"
_PAUSE_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class PostgresqlWakeUps:
    """Wake-ups through the database that all processes share. A pooler cannot LISTEN: behind one, readers only poll.

    NOTIFY is a transaction of its own, not a part of the one that ended a session. PostgreSQL commits transactions with
    a notification one after another, each only once the one before is on the disk.
    """

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._asked = self._sent = 0
        self._one_at_a_time = asyncio.Lock()
        self._outage = Outage("listen_for_wake_ups")

    async def send(self) -> None:
        """Notify, once for all calls that come while another notification is under way."""
        self._asked += 1
        number = self._asked
        async with self._one_at_a_time:
            if self._sent < number:  # otherwise a notification that began after this call has been sent
                latest = self._asked
                await self._notify()
                self._sent = latest

    async def _notify(self) -> None:
        try:
            async with self._engines.reading() as connection:
                await connection.control("NOTIFY vestibule_revocations")
        except StoreUnavailable as fault:
            _log.warning("wake_up_not_sent", fault=summarize(fault.__cause__ or fault))

    async def listen(self) -> AsyncIterator[None]:
        while True:
            try:
                async for _ in self._listen_once():
                    yield
            except StoreUnavailable as fault:
                self._outage.note(fault)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen_once(self) -> AsyncIterator[None]:
        """Yield at each notification, until the connection ends."""
        woken = asyncio.Event()
        async with self._engines.sqlalchemy_reading() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None  # noqa: S101  # nosec B101  # only a detached connection has none
            driver.add_termination_listener(lambda _: woken.set())
            await driver.add_listener(CHANNEL, lambda *_: woken.set())
            self._outage.end()
            while not driver.is_closed():
                await woken.wait()
                woken.clear()
                yield
            await connection.invalidate()
