"""Check the database: reachable, with the right schema, clock, connections, and keys that can be decrypted."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from shlex import quote
from shutil import disk_usage

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.doctor import keys, passkeys, peppers, proxies, second_factor, totps
from vestibule.model.clock import Clock
from vestibule.model.errors import StoreUnavailable
from vestibule.model.findings import Finding, fault, fine, warning
from vestibule.settings.fields import Settings
from vestibule.storage.sql import engine
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.revision import NotOurs, NotUnicode, SchemaMismatch, require_current
from vestibule.storage.sql.schema import REVISION
from vestibule.storage.sql.url import WrongAddress, parse
from vestibule.wiring.opening import require_folder

SUBJECT = "database"
_LOCKED = "database is locked"  # in SQLite's words
_LOW_DISK_BYTES = 500_000_000
_LOCK_SECONDS = 3  # our own server holds the lock for milliseconds at a time
_WAIT_FOR_LOCK = text("PRAGMA busy_timeout = 3000")
_BEGIN_WRITING, _ROLL_BACK = text("BEGIN IMMEDIATE"), text("ROLLBACK")
_WATCHER_CONNECTIONS = 2  # of each process, beside its pool: for revocations and wake-ups


async def check(settings: Settings, clock: Clock) -> list[Finding]:
    """Return findings about the database and its content."""
    try:
        engines = engine.connect(settings.database_address)
    except WrongAddress as reason:
        return [fault(SUBJECT, f"DATABASE_URL: {reason}", "The server does not start.", "see docs/settings.md")]
    try:
        return await _open(settings, clock, engines)
    except StoreUnavailable as reason:
        return [_unreachable(settings, reason)]
    except NotUnicode as reason:
        what, _, remedy = str(reason).partition("; make another one: ")  # what is wrong, and the command to run
        return [fault(SUBJECT, what, "The server does not start: some people could not register.", remedy)]
    except NotOurs as reason:
        return [_unusable(str(reason))]
    except SchemaMismatch as reason:
        return [_other_schema(settings, str(reason))]
    finally:
        await engines.close()


async def _open(settings: Settings, clock: Clock, engines: Engines) -> list[Finding]:
    if not engines.exists:
        require_folder(settings, engines)
        return [fine(SUBJECT, "a SQLite file, which the first start will create")]
    await require_current(engines)
    if engines.file and (locked := await _locked(engines)):
        return [locked]
    return await _look_inside(settings, clock, engines)


async def _locked(engines: Engines) -> Finding | None:
    """Return a fault if another program keeps the SQLite file locked, so that nothing can be written. Writes nothing
    itself.
    """
    try:
        async with engines.sqlalchemy_reading() as connection:
            await connection.execute(_WAIT_FOR_LOCK)
            await connection.execute(_BEGIN_WRITING)
            await connection.execute(_ROLL_BACK)
    except StoreUnavailable as reason:
        if _LOCKED not in str(reason):
            raise
        what = f"another program has locked {engines.file}, for more than {_LOCK_SECONDS} s"
        why = "Nothing is written: nobody can register, sign in, refresh or sign out."
        return fault(SUBJECT, what, why, _who_has(engines.file))
    return None


def _who_has(file: str | None) -> str:
    return f"find the program, such as a backup or a database browser, and end it: fuser -v {quote(str(file))}"


def _other_schema(settings: Settings, reason: str) -> Finding:
    """Return the finding for a `SchemaMismatch`. The message of the exception is "what is wrong; what to do", or "what
    is wrong; run: command". A server migrates an older SQLite file itself.
    """
    if settings.embedded and "newer" not in reason:
        return fine(SUBJECT, "a SQLite file, which the next start will migrate")
    what, _, remedy = reason.replace("; run:", ";").partition("; ")
    return fault(SUBJECT, what, "The server does not start on this schema.", remedy)


def _unusable(reason: str) -> Finding:
    """Return the finding for an exception whose message is "what is wrong; what to do"."""
    what, _, remedy = reason.partition("; ")
    return fault(SUBJECT, what, "The server does not start.", remedy or "see docs/operating.md")


def _unreachable(settings: Settings, reason: StoreUnavailable) -> Finding:
    if reason.lasting:
        return _unusable(str(reason))
    remedy = f"check DATABASE_URL, and that the server runs and accepts this machine: {_psql(settings)}"
    if settings.embedded:
        remedy = "check that the file and its folder exist, and that this user may write them"
    if _LOCKED in str(reason):
        remedy = _who_has(parse(settings.database_address)[0].database)
    return fault(
        SUBJECT,
        f"cannot be reached{f' at {reason.server}' if reason.server else ''}: {str(reason) or 'no answer'}",
        "Without it nobody can sign in, and every request is answered 503.",
        remedy,
    )


def _psql(settings: Settings) -> str:
    """Return a test query by psql, which asks for the password: every user of the machine can read arguments."""
    url, _ = parse(settings.database_address)
    options = {"-h": url.host, "-p": url.port, "-U": url.username, "-d": url.database}
    given = (f"{option} {quote(str(value))}" for option, value in options.items() if value)
    return f"psql {' '.join(given)} -c 'select 1'"


async def _look_inside(settings: Settings, clock: Clock, engines: Engines) -> list[Finding]:
    async with engines.sqlalchemy_reading() as connection:
        found = [await _identity(connection, engines)]
        if engines.dialect == "postgresql":
            found += await _postgresql(settings, clock, connection)
        elif engines.folder is not None:
            found += low_disk(engines.folder, disk_usage(engines.folder).free)
        found += await peppers.check(settings, connection)
        found += await passkeys.check(settings, connection)
        found += await second_factor.check(settings, connection)
        found += await proxies.one_address_for_all(settings, connection)
    return [*found, *await keys.check(settings, clock, engines), *await totps.check(settings, engines)]


async def _identity(connection: AsyncConnection, engines: Engines) -> Finding:
    question = text("SHOW server_version") if engines.dialect == "postgresql" else select(func.sqlite_version())
    version = str((await connection.execute(question)).scalar_one()).partition(" ")[0]
    name = "PostgreSQL" if engines.dialect == "postgresql" else "SQLite"
    return fine(SUBJECT, f"{name} {version}, schema {REVISION}")


async def _postgresql(settings: Settings, clock: Clock, connection: AsyncConnection) -> list[Finding]:
    before = clock.now()
    row = (
        await connection.execute(
            text("SELECT clock_timestamp(), pg_is_in_recovery(), current_setting('max_connections')::int")
        )
    ).one()
    after = clock.now()
    server_time, is_standby, max_connections = row
    return [
        *_skew(settings, before, server_time, after),
        *on_standby(standby=is_standby),
        *too_few_connections(settings, max_connections),
    ]


def _skew(settings: Settings, before: datetime, server_time: datetime, after: datetime) -> Iterator[Finding]:
    """Yield a finding if the clocks differ: `server_time` was read between `before` and `after`."""
    seconds = max((before - server_time).total_seconds(), (server_time - after).total_seconds(), 0.0)
    remedy = "synchronise both clocks: timedatectl set-ntp true"
    if seconds > settings.clock_leeway_seconds:
        why = (
            f"Clocks may differ by {settings.clock_leeway_seconds} s; beyond that, machines refuse each other's tokens."
        )
        yield fault(SUBJECT, f"its clock and this machine's are {seconds:.0f} s apart", why, remedy)
    elif seconds > 1:
        why = "Sessions and tokens end at other times than people are told."
        yield warning(SUBJECT, f"its clock and this machine's are {seconds:.1f} s apart", why, remedy)


def on_standby(*, standby: bool) -> Iterator[Finding]:
    """Yield a fault if the server is a standby, which takes no writes."""
    if standby:
        yield fault(
            SUBJECT,
            "this server is a standby, which only reads",
            "Nobody can register, sign in, refresh or sign out.",
            "DATABASE_URL with the primary's address, or target_session_attrs=read-write in it",
        )


def too_few_connections(settings: Settings, most: int) -> Iterator[Finding]:
    """Yield a warning if the server's `most` connections are too few for two processes."""
    each = settings.database_pool + _WATCHER_CONNECTIONS
    if each * 2 > most:
        yield warning(
            SUBJECT,
            f"a process takes up to {each} connections, and the server has {most}",
            "A second process, or a replacement that starts before the old one stops, cannot connect and answers 503.",
            f"VESTIBULE_DATABASE_POOL={max(most // 4 - _WATCHER_CONNECTIONS, 2)}, or more max_connections",
        )


def low_disk(folder: Path, free: int) -> Iterator[Finding]:
    """Yield a warning if a SQLite file's disk has few `free` bytes."""
    if free < _LOW_DISK_BYTES:
        yield warning(
            SUBJECT,
            f"{free // 1_000_000} MB are left on its disk",
            "A full disk refuses every sign-in and every sign-out.",
            f"free some space on the disk of {folder}",
        )
