"""Read from the source: the database that a command names by `--from`. Errors name `--from`, never DATABASE_URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from vestibule.model.errors import StoreUnavailable
from vestibule.process.operator_errors import OperatorError
from vestibule.storage.sql.driver_faults import driver_message
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.revision import NotMigrated, NotOurs, SchemaMismatch


class SourceUnavailable(OperatorError):
    """The database to read from cannot be asked now. The message says why."""


class SourceUnusable(SourceUnavailable):
    """The database to read from cannot be used until the operator repairs what the message says."""

    status = 2


@contextmanager
def source_errors() -> Iterator[None]:
    """Raise every error of the block as a `SourceUnavailable` that names --from, or a `SourceUnusable` if the operator
    has to repair something: other errors would name DATABASE_URL. For code that asks no other database.
    """
    try:
        yield
    except NotOurs as fault:
        raise SourceUnusable(f"--from: {fault}") from None
    except NotMigrated as fault:
        raise SourceUnavailable(f"--from: {fault}, with the address of this database in DATABASE_URL") from None
    except SchemaMismatch as fault:
        raise SourceUnavailable(f"--from: {fault}") from None
    except StoreUnavailable as fault:
        if fault.lasting:
            raise SourceUnusable(f"--from: {fault}") from None
        cannot = f"cannot be reached at {fault.server}" if fault.server else "cannot be read"
        raise SourceUnavailable(f"--from: the database {cannot}: {str(fault) or 'no answer'}") from None
    except DBAPIError as fault:  # unexpected content
        raise SourceUnusable(f"--from: the database cannot be read: {driver_message(fault)}") from fault


def tolerate_invalid_utf8(engines: Engines) -> None:
    """Make SQLite's driver read text that is not UTF-8, with a surrogate for each wrong byte (PEP 383): otherwise it
    would raise, and the whole result be lost. PostgreSQL stores no such text.
    """
    if engines.dialect == "sqlite":
        for connecting in (engines.writing, engines.single_reads):
            event.listen(connecting.sync_engine, "connect", _take_any_bytes)


def _take_any_bytes(connection: Any, _record: Any) -> None:
    connection.driver_connection.text_factory = lambda stored: stored.decode(errors="surrogateescape")
