"""Create engines for PostgreSQL: the settings of each connection, and what happens to one that does not answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from vestibule.model.clock import LAST_YEAR
from vestibule.storage.sql.redaction import redact_error
from vestibule.storage.sql.timeouts import DatabaseTimeouts

_POSTGRESQL_ZERO = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL sends moments as microseconds from here
_MICROSECOND = timedelta(microseconds=1)
_TRAVEL_SECONDS = 0.5
"""How much longer than the database's own timeout we wait for a statement, before we take the connection for dead."""
# The database drops a client that has been silent for a minute; by default, it would keep the connection for hours.
_DEAD_CLIENTS = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def engines(
    url: URL, arguments: dict[str, Any], pool_size: int, timeouts: DatabaseTimeouts, *, behind_pooler: bool
) -> tuple[AsyncEngine, AsyncEngine]:
    """Return the engine for transactions, and the one for single reads. `arguments` are the driver's."""
    given = arguments.pop("server_settings", {})
    settings = given if behind_pooler else _server_settings(timeouts) | given
    writing = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeouts.for_connection,
        pool_pre_ping=False,
        hide_parameters=True,
        connect_args={
            "timeout": timeouts.to_connect,
            "command_timeout": timeouts.for_statement + _TRAVEL_SECONDS,
            "server_settings": {"application_name": "vestibule", **settings},
            **(_PREPARE_NOTHING if behind_pooler else {}),
            **arguments,
        },
    )
    event.listen(writing.sync_engine, "connect", _read_any_moment)
    event.listen(writing.sync_engine, "handle_error", _close_if_no_answer)
    event.listen(writing.sync_engine, "handle_error", redact_error)
    # A pooler may change the connection between preparing a statement and running it, unless in a transaction.
    single_reads = writing if behind_pooler else writing.execution_options(isolation_level="AUTOCOMMIT")
    return writing, single_reads


def _read_any_moment(connection: Any, _record: Any) -> None:
    """Decode moments as UTC, and those that Python cannot represent, such as years BC and infinity, as text: an error
    would lose the whole result.
    """
    connection.run_async(
        lambda driver: driver.set_type_codec(
            "timestamptz", schema="pg_catalog", encoder=_to_microseconds, decoder=_from_microseconds, format="tuple"
        )
    )


def _to_microseconds(moment: datetime) -> tuple[int]:
    return ((moment - _POSTGRESQL_ZERO) // _MICROSECOND,)


def _from_microseconds(decoded: tuple[int]) -> datetime | str:
    try:
        moment = _POSTGRESQL_ZERO + decoded[0] * _MICROSECOND
    except OverflowError:
        return "no moment"
    return moment if moment.year <= LAST_YEAR else str(moment)


# Behind a pooler, a statement that was prepared on one connection does not exist on the next. So prepare nothing under
# a name: an unnamed statement is replaced by the next one.
_PREPARE_NOTHING = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: "",
}


def _server_settings(timeouts: DatabaseTimeouts) -> dict[str, str]:
    """Return the settings that each connection asks PostgreSQL for. A pooler refuses such settings, because clients
    share its connections.
    """
    return {
        "statement_timeout": str(int(timeouts.for_statement * 1000)),
        "idle_in_transaction_session_timeout": "10000",  # milliseconds, as long as a transaction may take here
        **_DEAD_CLIENTS,
    }


def _close_if_no_answer(context: ExceptionContext) -> None:
    """Close a connection whose statement timed out without an answer (SQLAlchemy's `handle_error` event).

    Cancelling the statement, rolling back or closing in order would each wait for the database again.
    """
    if isinstance(context.original_exception, TimeoutError) and context.connection is not None:
        driver = context.connection.connection.driver_connection
        if driver is not None:
            driver.terminate()
        context.is_disconnect = True
