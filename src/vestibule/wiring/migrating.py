"""The process that migrates the database: `python -m vestibule.wiring.migrating`, run by `vestibule migrate`.

A process of its own, because Alembic takes 8 MB that a server would carry for its lifetime.
"""

import asyncio
import sys

from vestibule.cli.endings import explained
from vestibule.storage.sql.migrate import migrate
from vestibule.storage.sql.timeouts import UNHURRIED
from vestibule.wiring.opening import database, read_settings


def main() -> None:
    """Migrate the database in the environment's settings, and print the revision it had before."""
    with explained():
        print(asyncio.run(_migrate()) or "")
        sys.exit()


async def _migrate() -> str | None:
    async with database(read_settings(), timeouts=UNHURRIED) as engines:
        before, _ = await migrate(engines)
        return before


if __name__ == "__main__":
    main()
