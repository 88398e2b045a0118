"""The process that brings the schema up to date: `python -m vestibule.migrate`, run by `vestibule migrate`.

Apart, because Alembic takes 8 MB that a server would carry for as long as it lives.
"""

import asyncio
import sys

from vestibule import wiring
from vestibule.cli.endings import explained
from vestibule.storage.sql.engine import UNHURRIED
from vestibule.storage.sql.migrate import migrate


def main() -> None:
    """Migrate the database of the settings in the environment, and print the revision it had before."""
    with explained():
        print(asyncio.run(_migrate()) or "")
        sys.exit()


async def _migrate() -> str | None:
    async with wiring.database(wiring.read_settings(), timeouts=UNHURRIED) as engines:
        before, _ = await migrate(engines)
        return before


if __name__ == "__main__":
    main()
