"""Check rows before they are used: another version, another program or a person may have written anything there.

A malformed row is skipped and logged once, by its id, never with its content. No row stops another from being read.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar

import structlog
from sqlalchemy import Column, TypeDecorator

E = TypeVar("E", bound=StrEnum)

_MOST_LOGGED = 1_000  # rows in the process's life
_MOST_ID_CHARACTERS = 64
_logged: set[tuple[str, str]] = set()
_log = structlog.get_logger(__name__)


class OddRow(ValueError):
    """The row is malformed. The message names the column, and none of its content."""


class Reader:
    """Reads rows of these columns and checks the types of their values; further checks are the caller's."""

    def __init__(self, columns: Sequence[Column[Any]]) -> None:
        self._names = tuple(column.name for column in columns)
        self._kinds = tuple(_kinds(column) for column in columns)

    def read(self, row: Sequence[Any]) -> dict[str, Any]:
        """Return the values by column name; raises `OddRow` if one is not of its column's type: SQLite stores any value
        in any column.
        """
        if not all(map(isinstance, row, self._kinds)):
            raise OddRow(self._first_wrong_column(row))
        return dict(zip(self._names, row, strict=True))

    def _first_wrong_column(self, row: Sequence[Any]) -> str:
        columns = zip(self._names, row, self._kinds, strict=True)
        return next(name for name, value, kinds in columns if not isinstance(value, kinds))


def _kinds(column: Column[Any]) -> tuple[type, ...]:
    stored = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    kind: type = stored.python_type  # type: ignore[assignment]  # a type; mypy sees the property that returns it
    return (kind, type(None)) if column.nullable else (kind,)


def read_detail(document: object) -> dict[str, str]:
    """Return a stored detail, a JSON object of strings; raises `OddRow` for anything else."""
    try:
        detail = json.loads(document) if isinstance(document, str) else None
    except (ValueError, RecursionError):
        detail = None
    if not isinstance(detail, dict) or not all(isinstance(value, str) for value in detail.values()):
        raise OddRow("detail")
    return detail


def log_skipped(table: str, identifier: object, why: OddRow) -> None:
    """Log a row that is skipped, once in the process's life."""
    name = str(identifier)[:_MOST_ID_CHARACTERS]
    if (table, name) not in _logged and len(_logged) < _MOST_LOGGED:
        _logged.add((table, name))
        _log.warning("row_left_out", table=table, row=name, column=str(why))


def read_enum(kind: type[E], value: object, column: str) -> E:
    """Return the member of an enum with this value; raises `OddRow`, which names the column, if there is none."""
    try:
        return kind(str(value))
    except ValueError:  # not chained: its message quotes the value
        raise OddRow(column) from None
