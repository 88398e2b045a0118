"""Which schema a database has, and whether this version works with it.

Apart from `migrate`, so that the server's processes look without loading what could change it.
"""

from typing import Any

from sqlalchemy import Select, column, inspect, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.operator_errors import OperatorError
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.schema import REVISION

TABLE = "vestibule_schema"
_UNICODE = "UTF8"
_VERSION: Select[Any] = select(column("version_num")).select_from(table(TABLE))


class SchemaMismatch(OperatorError):
    """The database's schema is not the one this version works with. The message says what to do."""


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
    found = await current_revision(engines)
    if found is None:
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
    """The revision the database is at; None where there is no schema. Raises `StoreUnavailable`."""
    async with engines.reading() as connection:
        return await revision_of(connection)


async def revision_of(connection: AsyncConnection) -> str | None:
    """The same, on a connection at hand."""
    if not await connection.run_sync(lambda sync: inspect(sync).has_table(TABLE)):
        return None
    found: str | None = (await connection.execute(_VERSION)).scalar_one_or_none()
    return found
