"""Run the command line with the real settings, database and keys. `__main__` calls `main`."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property

from vestibule.cli import commands, usage
from vestibule.cli.command_context import AccountSource, NamedFile, Places
from vestibule.cli.endings import AS_LOG, explained
from vestibule.doctor import at_start, examination, outside
from vestibule.flows.env import Env
from vestibule.model.clock import SystemClock
from vestibule.model.findings import Finding
from vestibule.model.signing_keys import SealedKey
from vestibule.observability import logs
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings, says_production
from vestibule.state.key_ring import KeyRing
from vestibule.storage.exports.export_file import ExportFile
from vestibule.storage.exports.fields import Given
from vestibule.storage.exports.firebase import read_hash_form
from vestibule.storage.sql import engine
from vestibule.storage.sql import url as database_url
from vestibule.storage.sql.database_copy import DatabaseCopy
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.legacy import LegacyUsers
from vestibule.storage.sql.revision import current_revision, refuse_newer, require_current
from vestibule.storage.sql.schema import REVISION
from vestibule.storage.sql.source import source_errors
from vestibule.storage.sql.store import SqlStore
from vestibule.storage.sql.timeouts import UNHURRIED
from vestibule.storage.sql.url import WrongAddress
from vestibule.wiring.keys import given_keys, open_key_manager
from vestibule.wiring.opening import (
    database,
    open_env,
    read_settings,
    redis_location,
    refuse_lost_secret,
    require_folder,
)
from vestibule.wiring.passkey_domain import require_passkey_domain
from vestibule.wiring.secret import lacks_secret

_LOG_LEVEL = "warning"


class RealCommandContext:
    """Implements `cli.command_context.CommandContext`. `as_log`: the command is a server in production, which logs."""

    def __init__(self, as_log: bool = False) -> None:
        self._as_log = as_log

    @cached_property
    def settings(self) -> Settings:
        return self._read()

    def settings_checked_by(self, *checks: Callable[[Settings], object]) -> Settings:
        self.settings = settings = self._read(*checks)  # so that the property does not read them again
        return settings

    def _read(self, *checks: Callable[[Settings], object]) -> Settings:
        settings = read_settings(*checks)
        if self._as_log:
            logs.configure_for_parent(settings.log_level, masked=settings.log_addresses == "masked")
        else:  # A command prints what it did. Log lines about events are for a server.
            logs.configure(_LOG_LEVEL, pretty=not settings.production)
        return settings

    def data_places(self) -> Places:
        kind, at = database_url.location_of(self.settings.database_address)
        return Places(kind, at, redis_location(self.settings), REVISION)

    @asynccontextmanager
    async def opened(self, *, create_missing: bool = False) -> AsyncIterator[Env]:
        await refuse_lost_secret(self.settings)
        if not (create_missing and lacks_secret(self.settings)):
            open_key_manager(self.settings)  # first, because a wrong secret must be reported before a file is created
        # Each command migrates the SQLite file, because operators are not asked to.
        if self.settings.embedded:
            await self.migrate()
        async with open_env(self.settings, make_secret=create_missing) as env:
            if create_missing:
                await require_passkey_domain(self.settings, env.store)
            yield env

    def given_keys(self) -> KeyRing | None:
        return given_keys(self.settings, checked=True) if self.settings.keys_are_given else None

    async def stored_keys(self) -> list[SealedKey]:
        unopened = engine.connect(self.settings.database_address)
        if self.settings.embedded and not unopened.exists:
            require_folder(self.settings, unopened)
            return []
        async with database(self.settings) as engines:
            await require_current(engines)
            async with SqlStore(engines).reading() as read:
                return await read.signing_keys.all()

    def examine(self, url: str | None) -> list[Finding]:
        if url is not None:
            return outside.check(self.settings, SystemClock(), url)
        return asyncio.run(examination.examine(self.settings, SystemClock()))

    def log_weaknesses(self) -> None:
        at_start.log_weaknesses(self.settings)

    async def migrate(self) -> tuple[str | None, str]:
        revision = await self._revision()
        if revision == REVISION:
            return REVISION, REVISION
        if revision is not None:
            refuse_newer(revision)
        command = [sys.executable, "-m", "vestibule.wiring.migrating", *([AS_LOG] if self._as_log else [])]
        # The child ends when its standard input is closed, so also when this process is killed.
        migrating = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        try:
            printed = await migrating.stdout.read() if migrating.stdout else b""
            status = await migrating.wait()
        except asyncio.CancelledError:
            migrating.kill()  # nothing is committed then
            await migrating.wait()
            raise
        if status:
            sys.exit(status)  # the other process has printed why
        return printed.decode().strip() or None, REVISION

    async def _revision(self) -> str | None:
        async with database(self.settings) as engines:
            return await current_revision(engines)

    @asynccontextmanager
    async def legacy(self, address: str) -> AsyncIterator[AccountSource]:
        engines = _other_database(address)
        legacy = LegacyUsers(engines)
        try:
            with source_errors():
                await legacy.require()
            yield legacy
        finally:
            legacy.first_by_email.close()
            await engines.close()

    @contextmanager
    def export_file(self, file: NamedFile, progress: Callable[[int, int | None], None]) -> Iterator[AccountSource]:
        hash_form = read_hash_form(file.hash_config) if file.hash_config else None
        export = ExportFile(file.path, Given(SystemClock().now(), file.verified, hash_form), file.format)
        try:
            export.read(progress)
            yield export
        finally:
            export.close()

    @asynccontextmanager
    async def copying(self, address: str) -> AsyncIterator[DatabaseCopy]:
        async with self._source(address) as source, database(self.settings, timeouts=UNHURRIED) as target:
            if self.settings.embedded:  # only now, because a wrong source must be reported before a file is created
                await self.migrate()
            await require_current(target)
            if source.location == target.location:
                raise WrongSettings("--from: is the database of DATABASE_URL itself; set DATABASE_URL to the new one")
            yield DatabaseCopy(source, target)

    @asynccontextmanager
    async def _source(self, address: str) -> AsyncIterator[Engines]:
        """Open another Vestibule database and yield its engines, without a time limit: counting its rows takes long."""
        source = _other_database(address)
        try:
            with source_errors():
                await require_current(source)
            yield source
        finally:
            await source.close()


def _other_database(address: str) -> Engines:
    """Return the engines of the database in `--from`, without creating a file; raises `WrongSettings`."""
    try:
        engines = engine.connect(address, timeouts=UNHURRIED)
    except WrongAddress as fault:
        raise WrongSettings(f"--from: {fault}") from None
    if not engines.exists:
        raise WrongSettings(f"--from: there is no file {engines.file}")
    return engines


def main() -> None:
    """Run a command. A server in production logs JSON from its first line on, even if it refuses to start."""
    as_log = sys.argv[1:2] == ["serve"] and says_production()
    with explained(as_log):
        if as_log:
            logs.configure_for_parent("info")
        usage.run(commands.build(), obj=RealCommandContext(as_log))
