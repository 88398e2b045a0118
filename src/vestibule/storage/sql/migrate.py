"""Migrate the schema, one process at a time.

Everything from reading the schema to the last statement happens in one transaction under a lock: processes that start
together wait for one another, and one that dies leaves the schema unchanged.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.revision import SchemaMismatch, refuse_newer, require_ours, require_unicode, revision_of
from vestibule.storage.sql.schema import REVISION
from vestibule.storage.sql.sqlite import WRITE_AHEAD

ADVISORY_LOCK = 0x7665_7374  # any number that nobody else on this database takes; these are the bytes of "vest"


async def migrate(engines: Engines) -> tuple[str | None, str]:
    """Upgrade to the newest schema that this version knows, and return the revision before and after. Raises
    `SchemaMismatch` if the schema of the database is newer than that.
    """
    await require_unicode(engines)
    async with engines.sqlalchemy_transaction(seconds=None) as connection:
        if engines.dialect == "postgresql":
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            await _require_a_schema(connection)
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
        before = await revision_of(connection)
        if before is None:
            await require_ours(connection)
        else:
            refuse_newer(before)
        await connection.run_sync(_upgrade)
    if engines.dialect == "sqlite":  # after the transaction: SQLite cannot change this setting within one
        async with engines.sqlalchemy_reading() as connection:
            await connection.execute(WRITE_AHEAD)
    return before, REVISION


async def _require_a_schema(connection: AsyncConnection) -> None:
    """Refuse an address whose PostgreSQL schema does not exist: raise `SchemaMismatch`."""
    if (await connection.execute(text("SELECT current_schema()"))).scalar_one() is None:
        named = (await connection.execute(text("SHOW search_path"))).scalar_one()
        raise SchemaMismatch(
            f"DATABASE_URL: there is no schema {named} in the database; make it: CREATE SCHEMA {named}"
        )


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
