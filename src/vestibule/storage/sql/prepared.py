"""Compile statements once with SQLAlchemy, and run them through the driver.

Running a statement through Core takes three to eight times the CPU of the statement itself: it looks up the text, wraps
the result, and switches to a greenlet. So we use Core only to write one text for both databases, and for the types of
parameters and columns.
"""

from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import BindParameter, Insert, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]
"""Converts one value on its way to the driver or back."""
RowMaker = Callable[[Sequence[Any]], Any]
"""Makes a named tuple from the values that the driver returned for a row."""
Parameters = Mapping[str, Any]
"""The values of a statement's parameters, by name."""
ROWS_AT_ONCE = 50
"""Rows that one INSERT writes: with up to 30 columns, far fewer values than either database takes (32,766)."""
_LENGTHS_KEPT = 64  # texts that one statement keeps, one for each length that its lists had


@dataclass(frozen=True)
class DriverText:
    """A statement as one driver takes it: the SQL, the parameter of each placeholder with its converter, the values of
    parameters that are the same each time (`fixed`), and how to read a row.

    `make_row` is None if the statement returns no rows. `lists` has, for each list, the parameters of its members.
    """

    sql: str
    placeholders: tuple[tuple[str, Processor | None], ...]
    fixed: Parameters
    make_row: RowMaker | None
    lists: Mapping[str, Sequence[str]]

    def values(self, given: Parameters) -> list[Any]:
        """Return the value of each placeholder, converted for the driver. Raises `KeyError` for a parameter without a
        value.
        """
        known = {**self.fixed, **given} if self.fixed else given
        for name, members in self.lists.items():
            known = {**known, **dict(zip(members, given[name], strict=True))}
        return [known[name] if process is None else process(known[name]) for name, process in self.placeholders]


class Prepared:
    """A statement defined at module level, compiled once per dialect at its first run."""

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._texts: dict[str, Callable[[Parameters], DriverText]] = {}
        self._of_many: Prepared | None = None

    def for_driver(self, dialect: Dialect, given: Parameters) -> DriverText:
        """Return the statement for this dialect and these values, which must have the same names each time."""
        text_for = self._texts.get(dialect.name)
        if text_for is None:
            text_for = self._texts[dialect.name] = compile_for(dialect, self.statement, given)
        return text_for(given)

    def of_many(self, rows: Sequence[Parameters]) -> "tuple[Prepared, Parameters]":
        """Return this INSERT for `ROWS_AT_ONCE` rows, and its values. Compiles it once: that takes milliseconds."""
        if self._of_many is None:
            insert = self.statement
            assert isinstance(insert, Insert)  # noqa: S101  # nosec B101  # only an INSERT gets many rows
            columns = insert.table.c
            self._of_many = Prepared(
                insert.values(
                    [
                        {name: bindparam(f"{name}_of_{n}", type_=columns[name].type) for name in rows[0]}
                        for n in range(ROWS_AT_ONCE)
                    ]
                )
            )
        return self._of_many, {f"{name}_of_{n}": value for n, row in enumerate(rows) for name, value in row.items()}


def compile_for(dialect: Dialect, statement: Executable, names: Collection[str]) -> Callable[[Parameters], DriverText]:
    """Return a function from values with these names to the compiled statement. The text is the same each time, unless
    a parameter is a list, whose length may differ. Raises `ValueError` for a name that is no parameter.
    """
    compiled = statement.compile(dialect=dialect, column_keys=list(names) or None)  # type: ignore[attr-defined]
    if unknown := set(names) - set(compiled.binds):
        raise ValueError(f"the statement has no parameter {', '.join(sorted(unknown))}: {compiled}")
    row = _row_maker(dialect, statement)
    processors = {name: _to_driver(dialect, bind) for name, bind in compiled.binds.items()}
    if compiled.post_compile_params:
        return _for_list_lengths(compiled, names, processors, row)
    placeholders = tuple((name, processors[name]) for name in compiled.positiontup or ())
    fixed = {name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required}
    text = DriverText(str(compiled), placeholders, fixed, row, {})
    return lambda _: text


def _for_list_lengths(
    compiled: SQLCompiler, names: Collection[str], processors: Mapping[str, Processor | None], row: RowMaker | None
) -> Callable[[Parameters], DriverText]:
    """Return a function from values to the text for lists of their lengths. Texts are kept by these lengths, because
    SQLAlchemy takes half a millisecond to make one.
    """
    lists = [name for name in names if name in compiled.binds and compiled.binds[name].expanding]

    @lru_cache(_LENGTHS_KEPT)
    def text_for(*lengths: int) -> DriverText:
        blank = {name: [None] * length for name, length in zip(lists, lengths, strict=True)}
        state = compiled.construct_expanded_state(dict.fromkeys(names) | blank)
        members = {name: state.parameter_expansion[name] for name in lists}
        given = {*names, *chain(*members.values())}
        fixed = {name: value for name, value in state.parameters.items() if name not in given}
        placeholders = tuple(
            (name, state.processors.get(name) or processors.get(name)) for name in state.positiontup or ()
        )
        return DriverText(state.statement, placeholders, fixed, row, members)

    return lambda given: text_for(*(len(given[name]) for name in lists))


def _to_driver(dialect: Dialect, bind: BindParameter[Any]) -> Processor | None:
    return bind.type.dialect_impl(dialect).bind_processor(dialect)


def _row_maker(dialect: Dialect, statement: Executable) -> RowMaker | None:
    columns = list(getattr(statement, "exported_columns", ()))
    if not columns:
        return None
    make: RowMaker = namedtuple("Row", [column.key or "" for column in columns], rename=True)._make  # type: ignore[attr-defined]  # noqa: PYI024
    processors = [_from_driver(dialect, column.type) for column in columns]
    if not any(processors):
        return make
    return lambda row: make(
        [value if process is None else process(value) for process, value in zip(processors, row, strict=True)]
    )


def _from_driver(dialect: Dialect, kind: TypeEngine[Any]) -> Processor | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
