"""Read which schema a database has, and check that this version works with it.

Separate from `migrate.py`, so that servers can check without loading code that could change the schema.
"""

import re
from typing import Any

from sqlalchemy import Connection, Select, column, inspect, select, table, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.process.operator_errors import OperatorError
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.schema import REVISION, metadata, signing_keys
from vestibule.storage.sql.server_faults import lacks_right

TABLE = "vestibule_schema"
_TUTORIAL_TABLE = ("users", {"id", "email", "password", "provider"})
_REVISION_FORM = re.compile("[0-9]{4}")
_UNICODE = "UTF8"
_SELECT_REVISION: Select[Any] = select(column("version_num")).select_from(table(TABLE))


class SchemaMismatch(OperatorError):
    """The database's schema is not the one that this version works with. The message says what to do."""


class NotMigrated(SchemaMismatch):
    """The database has no schema yet, or an older one; `vestibule migrate` brings it up to date."""


class NotOurs(SchemaMismatch):
    """The database belongs to another program, or another program has changed it. The message says what to do."""

    status = 2


class NotUnicode(SchemaMismatch):
    """The database cannot store every name. The message says what to do."""


async def require_unicode(engines: Engines) -> None:
    """Refuse a PostgreSQL database whose encoding is not UTF8: raise `NotUnicode`."""
    if engines.dialect != "postgresql":
        return
    async with engines.sqlalchemy_reading() as connection:
        encoding = (await connection.execute(text("SHOW server_encoding"))).scalar_one()
    if encoding != _UNICODE:
        raise NotUnicode(
            f"the database has the encoding {encoding}, which cannot hold every name; make another one: "
            "createdb --encoding=UTF8 --template=template0 NAME, and name it in DATABASE_URL"
        )


async def require_current(engines: Engines) -> None:
    """Refuse a database whose schema is not this version's: raise `SchemaMismatch`; `NotOurs` for another program's
    database, `NotUnicode` for an encoding other than UTF8.
    """
    await require_unicode(engines)
    async with engines.sqlalchemy_reading() as connection:
        found = await revision_of(connection)
        if found is None:
            await require_ours(connection)
            raise NotMigrated("the database has no Vestibule schema yet; run: vestibule migrate")
    refuse_newer(found)
    if found != REVISION:
        raise NotMigrated(f"the database has schema {found}, this version needs {REVISION}; run: vestibule migrate")


def refuse_newer(found: str) -> None:
    """Refuse the schema of a later version: raise `SchemaMismatch`. Revisions have four digits, and sort as text."""
    if found > REVISION:
        raise SchemaMismatch(
            f"the database has schema {found}, which is newer than this version of Vestibule ({REVISION}); "
            "start the newer version, or restore the backup made before it"
        )


async def current_revision(engines: Engines) -> str | None:
    """Return the database's revision; None without a schema. Raises `StoreUnavailable` or `NotOurs`."""
    async with engines.sqlalchemy_reading() as connection:
        return await revision_of(connection)


async def holds_sealed_keys(engines: Engines) -> bool:
    """Return whether the database has encrypted signing keys, at any revision. Only reads. Raises `StoreUnavailable` or
    `NotOurs`.
    """
    async with engines.sqlalchemy_reading() as connection:
        if await revision_of(connection) is None:
            return False
        if not await connection.run_sync(lambda sync: inspect(sync).has_table(signing_keys.name)):
            return False
        sealed = select(signing_keys.c.kid).where(signing_keys.c.sealed_private != "").limit(1)
        return (await connection.execute(sealed)).first() is not None


async def revision_of(connection: AsyncConnection) -> str | None:
    """Return the revision found on this connection; None without a schema. Raises `NotOurs`."""
    if not await connection.run_sync(lambda sync: inspect(sync).has_table(TABLE)):
        return None
    try:
        found = (await connection.execute(_SELECT_REVISION)).scalars().all()
    except (OperationalError, ProgrammingError) as fault:
        if lacks_right(fault):
            raise
        found = ["?"]
    if any(not (isinstance(each, str) and _REVISION_FORM.fullmatch(each)) for each in found) or len(found) > 1:
        raise NotOurs(
            f"{_name(connection)}: its table {TABLE} has content that Vestibule did not write; restore a backup"
        )
    return found[0] if found else None


async def require_ours(connection: AsyncConnection) -> None:
    """For a database without our schema: raise `NotOurs` if it has tables with names that we use. Raise it too for a
    SQLite file with any tables, because a file belongs to one program; but not if the tutorial's table is among them.
    """
    names, has_tutorial = await connection.run_sync(_tables)
    taken = sorted(names & metadata.tables.keys())
    others = names - {TABLE}
    if connection.dialect.name == "sqlite" and others and (taken or not has_tutorial):
        raise NotOurs(f"{_name(connection)} is another program's database; name a file of Vestibule's own")
    if taken:
        raise NotOurs(
            f"{_name(connection)} has tables of another program with names that Vestibule uses: {', '.join(taken)}; "
            "make another database, or a schema, and name it in DATABASE_URL: ?schema=vestibule"
        )


def _tables(connection: Connection) -> tuple[set[str], bool]:
    """Return the names of all tables and views, and whether the tutorial's is among them."""
    inspector = inspect(connection)
    names = {*inspector.get_table_names(), *inspector.get_view_names()}
    tutorial_name, columns = _TUTORIAL_TABLE
    has_tutorial = tutorial_name in names and columns <= {
        column["name"] for column in inspector.get_columns(tutorial_name)
    }
    return names, has_tutorial


def _name(connection: AsyncConnection) -> str:
    name = connection.engine.url.database
    return str(name) if connection.dialect.name == "sqlite" else f"the database {name}"
