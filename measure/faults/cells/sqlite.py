"""F13: SQLite, whose process is killed in mid-write, whose lock another process holds, and whose disk fills up."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from measure.faults.cell import Cell, Run
from measure.faults.node import Node
from measure.faults.stand import Needs
from vestibule.crypto.entropy import spread

_ON_A_FILE = Needs(postgresql=False, redis=False, servers=1)
_LIMITED_BYTES = 3_000_000
_LIMITED_START = f"""
import resource, runpy, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({_LIMITED_BYTES}, {_LIMITED_BYTES}))
runpy.run_module("vestibule", run_name="__main__")
"""
_LIMITED = (sys.executable, "-c", _LIMITED_START)


async def killed(run: Run) -> None:
    sound = 0
    (node,) = run.stand.nodes
    for _ in range(run.times):
        await run.use(spread(0.3))
        async with run.fault():
            node.kill()
            sound += _integrity(run.stand.sqlite) == "ok"
        await node.start()
    run.copies_allowed = run.times
    run.expect("PRAGMA integrity_check says ok after each kill", f"{sound} of {run.times}", sound == run.times)


async def busy(run: Run) -> None:
    async with run.fault():
        with closing(sqlite3.connect(_file(run), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await run.use(run.seconds)
            other.execute("ROLLBACK")


async def full(run: Run) -> None:
    """Let no file grow beyond a size that the database is about to reach: writes fail with EFBIG, as on a full disk."""
    (node,) = run.stand.nodes
    await node.stop()
    limited = Node(node.folder, node.settings, _LIMITED)
    limited.port = node.port
    with closing(sqlite3.connect(_file(run))) as file:
        file.execute("CREATE TABLE ballast (content BLOB)")
        room = _LIMITED_BYTES - 40_000 - _file(run).stat().st_size
        file.execute("INSERT INTO ballast VALUES (zeroblob(?))", (room,))
        file.commit()
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    await limited.start()
    async with run.fault():
        await run.use(run.seconds)
        reads = run.statuses("read by cookie", "read by Bearer", skip=2.0)
        limited.close()
    run.expect("reads go on", dict(reads), reads["200"] > 0 and set(reads) <= {"200"})
    with closing(sqlite3.connect(_file(run), isolation_level=None)) as file:
        file.execute("DROP TABLE ballast")
    await node.start()
    found = _integrity(run.stand.sqlite)
    run.expect("the file is sound", found, found == "ok")


def _file(run: Run) -> Path:
    assert run.stand.sqlite is not None
    return run.stand.sqlite


def _integrity(path: Path | None) -> str:
    with closing(sqlite3.connect(str(path))) as file:
        return str(file.execute("PRAGMA integrity_check").fetchone()[0])


CELLS = (
    Cell(
        "F13a",
        "SQLite: killed in mid-write",
        "kill -9 at random moments under load",
        "done or not done; the file is sound",
        killed,
        needs=_ON_A_FILE,
        text=500,
        full=20,
        short=3,
        recovery=2.0,
    ),
    Cell(
        "F13b",
        "SQLite: locked",
        "another process holds the write lock",
        "reads go on, writes wait or are answered 503",
        busy,
        needs=_ON_A_FILE,
        seconds=15,
        short_seconds=4,
        recovery=2.0,
    ),
    Cell(
        "F13c",
        "SQLite: disk full",
        "no file may grow (RLIMIT_FSIZE)",
        "writes 503, reads go on, the file is sound",
        full,
        needs=_ON_A_FILE,
        seconds=10,
        short_seconds=5,
        recovery=2.0,
    ),
    Cell(
        "F13d",
        "SQLite: read-only file",
        "the file's permission",
        "writes 503",
        why_not="these servers run as root here, whom no permission stops",
    ),
)
