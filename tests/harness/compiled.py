"""What SQLAlchemy has made of a statement, lent to one world after another.

It keeps that for each engine, of which a server has one. Every test has a new one: making it anew would be an eighth
of the CPU of most tests.
"""

from functools import cache
from typing import Any

from vestibule.storage.sql.engine import Engines


class Compiled(dict[tuple[Any, ...], Any]):
    """A cache of SQLAlchemy's in whose keys the kind of a dialect stands for the dialect, of which each engine has its
    own.
    """

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(_of_kind(key), default)

    def __setitem__(self, key: tuple[Any, ...], made: Any) -> None:
        super().__setitem__(_of_kind(key), made)


def _of_kind(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return type(key[0]), *key[1:]


@cache
def _compiled() -> Compiled:
    return Compiled()


def share_compiled(engines: Engines) -> None:
    """Let these engines use what those before them have made."""
    for engine in (engines.writing, engines.single_reads):
        engine.sync_engine.update_execution_options(compiled_cache=_compiled())
