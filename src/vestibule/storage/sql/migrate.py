"""Bring the schema up to date, one process at a time, or say that it is not.

Everything from looking at the schema to the last statement happens in one transaction under a lock, so that
machines which start together wait for one another, and one that dies leaves the schema as it was.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.schema import REVISION

VERSION_TABLE = "vestibule_schema"
_LOCK = 0x7665_7374  # any number that nobody else on this database takes; these are the bytes of "vest"


class SchemaMismatch(RuntimeError):
    """The database's schema is not the one this version works with. The message says what to do."""


async def migrate(engines: Engines) -> tuple[str | None, str]:
    """Upgrade to the newest schema; the revision before and after. Raises `SchemaMismatch` if it is newer still."""
    async with engines.transaction() as connection:
        if engines.dialect == "postgresql":
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        return await connection.run_sync(_upgrade)


async def require_current(engines: Engines) -> None:
    """Raises `SchemaMismatch` unless the schema is the one this version was written for."""
    async with engines.reading() as connection:
        found = await connection.run_sync(_revision)
    if found == REVISION:
        return
    if found is None:
        raise SchemaMismatch("the database has no Vestibule schema yet; run: vestibule migrate")
    if _known(found):
        raise SchemaMismatch(f"the database has schema {found}, this version needs {REVISION}; run: vestibule migrate")
    raise SchemaMismatch(_newer(found))


def _upgrade(connection: Connection) -> tuple[str | None, str]:
    before = _revision(connection)
    if before is not None and not _known(before):
        raise SchemaMismatch(_newer(before))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before, REVISION


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _known(revision: str) -> bool:
    scripts = ScriptDirectory.from_config(_config())
    return revision in {script.revision for script in scripts.walk_revisions()}


def _newer(revision: str) -> str:
    return (
        f"the database has schema {revision}, which is newer than this version of Vestibule ({REVISION}); "
        "start the newer version, or restore the backup made before it"
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
