"""`model.clock.OtherClock`: the clock of a database server. A SQLite file has no clock of its own."""

from datetime import datetime

from sqlalchemy import func, select

from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared

_SERVER_TIME = Prepared(select(func.clock_timestamp(type_=Instant)))


class DatabaseClock:
    """The time of the PostgreSQL server that all processes share."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    async def now(self) -> datetime | None:
        if self._engines.dialect != "postgresql":
            return None
        async with self._engines.reading() as connection:
            server_time: datetime = (await connection.execute(_SERVER_TIME)).scalar_one()
        return server_time
