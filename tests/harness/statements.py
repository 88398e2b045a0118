"""What the database is asked while something is done."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from tests.harness.world import World


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """The statements of a world's requests inside the block, word by word, in their order."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        asked.append(statement)

    engines = {engine.sync_engine for engine in (world.engines.writing, world.engines.single_reads)}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
