"""Compile statements once with SQLAlchemy, and run them through the driver.

Core would take three to eight times as much CPU as the statement itself: it looks up the text, wraps the result, and
switches to a greenlet. We keep what Core is useful for: one text for both databases, and types for parameters and rows.
"""

from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import ExpandedState
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]
RowMaker = Callable[[Sequence[Any]], Any]
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class DriverText:
    """A statement as one driver takes it: the SQL, the parameter of each placeholder, and how to read a row.

    `row` is None if the statement returns no rows.
    """

    sql: str
    places: tuple[tuple[str, Processor | None], ...]
    fixed: Parameters
    row: RowMaker | None

    def values(self, given: Parameters) -> list[Any]:
        """Return the value of each placeholder, converted for the driver. Raises `KeyError` for a parameter without a
        value.
        """
        fixed = self.fixed
        return [
            value if process is None else process(value)
            for name, process in self.places
            for value in (given[name] if name in given else fixed[name],)
        ]


class Prepared:
    """A statement defined at module level, compiled once per dialect at its first run."""

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._texts: dict[str, Callable[[Parameters], DriverText]] = {}

    def for_driver(self, dialect: Dialect, given: Parameters) -> DriverText:
        """Return the statement for this dialect and these values, which must have the same names each time."""
        text_for = self._texts.get(dialect.name)
        if text_for is None:
            text_for = self._texts[dialect.name] = write(dialect, self.statement, given)
        return text_for(given)


def write(dialect: Dialect, statement: Executable, names: Collection[str]) -> Callable[[Parameters], DriverText]:
    """Return a function from values, which have these names, to the compiled statement. The text is the same each time,
    unless a parameter is a list of any length.
    """
    written = statement.compile(dialect=dialect, column_keys=list(names) or None)  # type: ignore[attr-defined]
    row = _row(dialect, statement)
    if written.post_compile_params:
        return lambda given: _expanded(written.construct_expanded_state(given), row)
    places = tuple((name, _bound(dialect, written.binds[name])) for name in written.positiontup or ())
    fixed = {name: bind.effective_value for name, bind in written.binds.items() if not bind.required}
    text = DriverText(str(written), places, fixed, row)
    return lambda _: text


def _expanded(state: ExpandedState, row: RowMaker | None) -> DriverText:
    places = tuple((name, state.processors.get(name)) for name in state.positiontup or ())
    return DriverText(state.statement, places, state.parameters, row)


def _bound(dialect: Dialect, bind: BindParameter[Any]) -> Processor | None:
    return bind.type.dialect_impl(dialect).bind_processor(dialect)


def _row(dialect: Dialect, statement: Executable) -> RowMaker | None:
    columns = list(getattr(statement, "exported_columns", ()))
    if not columns:
        return None
    make: RowMaker = namedtuple("Row", [column.key or "" for column in columns], rename=True)._make  # type: ignore[attr-defined]  # noqa: PYI024
    processors = [_read(dialect, column.type) for column in columns]
    if not any(processors):
        return make
    return lambda row: make(
        [value if process is None else process(value) for process, value in zip(processors, row, strict=True)]
    )


def _read(dialect: Dialect, kind: TypeEngine[Any]) -> Processor | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
