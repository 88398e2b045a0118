"""`model.clock.OtherClock`: the clock of a database server. A SQLite file has none but this machine's."""

from datetime import datetime

from sqlalchemy import text

from vestibule.storage.sql.engine import Engines

_NOW = text("SELECT clock_timestamp()")


class DatabaseClock:
    """What the server that everybody shares takes for the time."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    async def now(self) -> datetime | None:
        if self._engines.dialect != "postgresql":
            return None
        async with self._engines.reading() as connection:
            shown: datetime = (await connection.execute(_NOW)).scalar_one()
        return shown
