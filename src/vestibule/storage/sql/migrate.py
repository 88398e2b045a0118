"""Bring the schema up to date, one process at a time.

Everything from looking at the schema to the last statement happens in one transaction under a lock, so that
machines which start together wait for one another, and one that dies leaves the schema as it was.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.revision import refuse_newer, require_unicode, revision_of
from vestibule.storage.sql.schema import REVISION

_LOCK = 0x7665_7374  # any number that nobody else on this database takes; these are the bytes of "vest"


async def migrate(engines: Engines) -> tuple[str | None, str]:
    """Upgrade to the newest schema; the revision before and after. Raises `SchemaMismatch` if it is newer still."""
    await require_unicode(engines)
    async with engines.transaction(seconds=None) as connection:
        if engines.dialect == "postgresql":
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = await revision_of(connection)
        if before is not None:
            refuse_newer(before)
        await connection.run_sync(_upgrade)
    return before, REVISION


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
