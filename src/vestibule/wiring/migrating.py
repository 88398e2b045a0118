"""The process that brings the schema up to date: `python -m vestibule.wiring.migrating`, run by `vestibule migrate`.

Apart, because Alembic takes 8 MB that a server would carry for as long as it lives.
"""

import asyncio
import sys

from vestibule.cli.endings import explained
from vestibule.storage.sql.engine import UNHURRIED
from vestibule.storage.sql.migrate import migrate
from vestibule.wiring.opening import database, read_settings


def main() -> None:
    """Migrate the database of the settings in the environment, and print the revision it had before."""
    with explained():
        print(asyncio.run(_migrate()) or "")
        sys.exit()


async def _migrate() -> str | None:
    async with database(read_settings(), timeouts=UNHURRIED) as engines:
        before, _ = await migrate(engines)
        return before


if __name__ == "__main__":
    main()
