"""The command line's process: `vestibule …` and `python -m vestibule …`. Puts commands and rims together."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from vestibule import logs, settings, wiring
from vestibule.cli import commands, console
from vestibule.cli.users import NoSuchAccount
from vestibule.cli.workshop import Legacy
from vestibule.flows.env import Env
from vestibule.model.errors import StoreUnavailable
from vestibule.settings import Settings, WrongSettings
from vestibule.storage.sql import engine
from vestibule.storage.sql.legacy import LegacyUsers, NoSuchTable
from vestibule.storage.sql.migrate import migrate
from vestibule.storage.sql.revision import SchemaMismatch
from vestibule.storage.sql.url import WrongAddress

_EXIT_WRONG_SETTINGS = 2


class SourceUnavailable(RuntimeError):
    """The database to import from cannot be asked."""


class RealWorkshop:
    """`cli.workshop.Workshop`, for real."""

    @cached_property
    def settings(self) -> Settings:
        chosen = settings.read()
        logs.configure(chosen.log_level, pretty=not chosen.production)
        return chosen

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Env]:
        # Nobody looks after the embedded database, so whoever comes first brings it up to date.
        if self.settings.embedded:
            await self.migrate()
        async with wiring.opened(self.settings) as env:
            yield env

    async def migrate(self) -> tuple[str | None, str]:
        async with wiring.database(self.settings) as engines:
            return await migrate(engines)

    @asynccontextmanager
    async def legacy(self, address: str) -> AsyncIterator[Legacy]:
        try:
            engines = engine.connect(address)
        except WrongAddress as fault:
            raise WrongSettings(f"--from: {fault}") from None
        legacy = LegacyUsers(engines)
        try:
            await legacy.require()
            yield legacy
        except StoreUnavailable as fault:
            raise SourceUnavailable(f"--from: the database cannot be reached: {fault}") from None
        finally:
            await engines.close()


def main() -> None:
    """Run a command. What an operator can mend ends it with a line that says how."""
    try:
        commands.build()(obj=RealWorkshop())
    except WrongSettings as fault:
        console.fail(str(fault))
        sys.exit(_EXIT_WRONG_SETTINGS)
    except (SchemaMismatch, NoSuchTable, SourceUnavailable, NoSuchAccount) as fault:
        console.fail(str(fault))
        sys.exit(1)
    except StoreUnavailable as fault:
        console.fail(f"DATABASE_URL: the database cannot be reached: {fault}")
        sys.exit(1)


if __name__ == "__main__":
    main()
