"""Which schema a database has, and whether this version works with it.

Apart from `migrate`, so that the server's processes look without loading what could change it.
"""

import re
from typing import Any

from sqlalchemy import Connection, Select, column, inspect, select, table, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.process.operator_errors import OperatorError
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.schema import REVISION, metadata, signing_keys

TABLE = "vestibule_schema"
_TUTORIALS = ("users", {"id", "email", "password", "provider"})
_NUMBER = re.compile("[0-9]{4}")
_UNICODE = "UTF8"
_VERSION: Select[Any] = select(column("version_num")).select_from(table(TABLE))


class SchemaMismatch(OperatorError):
    """The database's schema is not the one this version works with. The message says what to do."""


class NotOurs(SchemaMismatch):
    """The database is another program's, or has been changed by one. The message says what to do."""

    status = 2


class NotUnicode(SchemaMismatch):
    """The database cannot hold every name that people have. The message says what to do."""


async def require_unicode(engines: Engines) -> None:
    """Raises `NotUnicode` where PostgreSQL would refuse letters, or would not know what they are."""
    if engines.dialect != "postgresql":
        return
    async with engines.reading() as connection:
        encoding = (await connection.execute(text("SHOW server_encoding"))).scalar_one()
    if encoding != _UNICODE:
        raise NotUnicode(
            f"the database has the encoding {encoding}, which cannot hold every name; make another one: "
            "createdb --encoding=UTF8 --template=template0 NAME, and name it in DATABASE_URL"
        )


async def require_current(engines: Engines) -> None:
    """Raises `SchemaMismatch` unless the schema is the one this version was written for, in a database for it."""
    await require_unicode(engines)
    async with engines.reading() as connection:
        found = await revision_of(connection)
        if found is None:
            await require_ours(connection)
            raise SchemaMismatch("the database has no Vestibule schema yet; run: vestibule migrate")
    refuse_newer(found)
    if found != REVISION:
        raise SchemaMismatch(f"the database has schema {found}, this version needs {REVISION}; run: vestibule migrate")


def refuse_newer(found: str) -> None:
    """Raises `SchemaMismatch` for a schema of a later version. Revisions are numbers of equal length."""
    if found > REVISION:
        raise SchemaMismatch(
            f"the database has schema {found}, which is newer than this version of Vestibule ({REVISION}); "
            "start the newer version, or restore the backup made before it"
        )


async def current_revision(engines: Engines) -> str | None:
    """The revision the database is at; None where there is no schema. Raises `StoreUnavailable` or `NotOurs`."""
    async with engines.reading() as connection:
        return await revision_of(connection)


async def holds_sealed_keys(engines: Engines) -> bool:
    """Whether there are keys of ours in it that a secret is needed for, whatever its revision is. Looks only; raises
    `StoreUnavailable` or `NotOurs`.
    """
    async with engines.reading() as connection:
        if await revision_of(connection) is None:
            return False
        if not await connection.run_sync(lambda sync: inspect(sync).has_table(signing_keys.name)):
            return False
        sealed = select(signing_keys.c.kid).where(signing_keys.c.sealed_private != "").limit(1)
        return (await connection.execute(sealed)).first() is not None


async def revision_of(connection: AsyncConnection) -> str | None:
    """The same, on a connection at hand."""
    if not await connection.run_sync(lambda sync: inspect(sync).has_table(TABLE)):
        return None
    try:
        found = (await connection.execute(_VERSION)).scalars().all()
    except (OperationalError, ProgrammingError):
        found = ["?"]
    if any(not (isinstance(each, str) and _NUMBER.fullmatch(each)) for each in found) or len(found) > 1:
        raise NotOurs(f"{_name(connection)}: what is in its table {TABLE} is not Vestibule's; restore a backup of it")
    return found[0] if found else None


async def require_ours(connection: AsyncConnection) -> None:
    """Raises `NotOurs` where a database without our schema has tables that are called as ours are; a SQLite file also
    where it has any, but the tutorial's: a server may have many schemas, while a file is one program's.
    """
    there, tutorials = await connection.run_sync(_tables)
    taken = sorted(there & metadata.tables.keys())
    if connection.dialect.name == "sqlite" and there - {TABLE} and (taken or not tutorials):
        raise NotOurs(f"{_name(connection)} is another program's database; name a file of Vestibule's own")
    if taken:
        raise NotOurs(
            f"{_name(connection)} has tables of another program's that are called as Vestibule's are: "
            f"{', '.join(taken)}; make another database, or a schema, to be named in DATABASE_URL: ?schema=vestibule"
        )


def _tables(connection: Connection) -> tuple[set[str], bool]:
    """The names of all there are, and whether the tutorial's is among them."""
    looking = inspect(connection)
    there = {*looking.get_table_names(), *looking.get_view_names()}
    name, columns = _TUTORIALS
    return there, name in there and columns <= {column["name"] for column in looking.get_columns(name)}


def _name(connection: AsyncConnection) -> str:
    name = connection.engine.url.database
    return str(name) if connection.dialect.name == "sqlite" else f"the database {name}"
