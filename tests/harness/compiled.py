"""Share the statements that SQLAlchemy has compiled between one world and the next.

SQLAlchemy keeps them for each engine, and each test has new engines. To compile them anew would be an eighth of the CPU
of most tests.
"""

from functools import cache
from typing import Any

from vestibule.storage.sql.engine import Engines


class Compiled(dict[tuple[Any, ...], Any]):
    """A cache for SQLAlchemy whose keys have the class of the dialect in place of the dialect, which
    differs by engine.
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
    """Let these engines use the statements that earlier engines have compiled."""
    for engine in (engines.writing, engines.single_reads):
        engine.sync_engine.update_execution_options(compiled_cache=_compiled())
