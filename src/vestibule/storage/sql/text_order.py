"""Compare text alike on both databases, whatever the language of the database is: by bytes, or without case."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

HIGHEST = "\U0010ffff"
"""Sorts after every other character, in both orders: all texts that begin with a prefix sort before prefix + HIGHEST.
"""


class bytewise(FunctionElement[str]):  # noqa: N801  # used as a function of SQL
    """A text by its bytes, which is the order of code points. SQLite has no other order by itself."""

    inherit_cache = True
    type = String()


class caseless(FunctionElement[str]):  # noqa: N801  # used as a function of SQL
    """A text without case: of all letters on PostgreSQL, of A to Z on SQLite."""

    inherit_cache = True
    type = String()


@compiles(bytewise, "sqlite")
def _bytewise_on_sqlite(element: bytewise, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(bytewise, "postgresql")
def _bytewise_on_postgresql(element: bytewise, compiler: Any, **options: Any) -> str:
    return f'{compiler.process(element.clauses, **options)} COLLATE "C"'


@compiles(caseless, "sqlite")
def _caseless_on_sqlite(element: caseless, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} COLLATE NOCASE"


@compiles(caseless, "postgresql")
def _caseless_on_postgresql(element: caseless, compiler: Any, **options: Any) -> str:
    return f'lower({compiler.process(element.clauses, **options)}) COLLATE "C"'
