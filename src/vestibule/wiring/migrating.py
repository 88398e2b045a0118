"""The process that migrates the database: `python -m vestibule.wiring.migrating`.

`RealCommandContext.migrate` runs it: for `vestibule migrate`, and on SQLite for every command that opens the database,
`vestibule serve` too. It is a process of its own because Alembic takes 8 MB, which a server would keep until it ends.
"""

import asyncio
import os
import signal
import sys
import threading

from vestibule.cli.endings import AS_LOG, explained
from vestibule.observability import logs
from vestibule.storage.sql.migrate import migrate
from vestibule.storage.sql.timeouts import UNHURRIED
from vestibule.wiring.opening import database, read_settings


def main() -> None:
    """Migrate the database that the settings name; print the revision that it had before, which the parent reads. With
    `AS_LOG`, the parent is a server in production: log errors instead of printing them.
    """
    as_log = AS_LOG in sys.argv
    with explained(as_log):
        if as_log:
            logs.configure_for_parent("info")
        threading.Thread(target=_end_with_parent, daemon=True).start()
        print(asyncio.run(_migrate()) or "")
        sys.exit()  # inside `explained`, which flushes the output and reports if that fails


def _end_with_parent() -> None:
    """End this process when its parent is gone, without committing anything. The parent holds the other end of the
    standard input, which is then closed.
    """
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGKILL)


async def _migrate() -> str | None:
    async with database(read_settings(), timeouts=UNHURRIED) as engines:
        earlier_revision, _ = await migrate(engines)
        return earlier_revision


if __name__ == "__main__":
    main()
