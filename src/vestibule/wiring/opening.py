"""Turn settings into an `Env`: open and check the database, decrypt the keys, choose the mailer.

This module knows every adapter except HTTP and the command line. `app` and `commands` add those.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.crypto.pepper import Peppers
from vestibule.flows.env import Env
from vestibule.model.clock import SystemClock
from vestibule.model.errors import StoreUnavailable
from vestibule.model.paths import is_folder
from vestibule.model.revocations import WakeUps
from vestibule.process import open_files
from vestibule.process.niced_threads import NicedThreads
from vestibule.settings import reading
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings
from vestibule.settings.to_policy import to_policy
from vestibule.state.feed import Feed
from vestibule.state.memory import REMEMBERED, CallerMemory
from vestibule.state.passwords import Passwords
from vestibule.state.readiness import Readiness
from vestibule.state.revocation_set import RevocationSet
from vestibule.storage import limiter
from vestibule.storage.absent.replica import NoSessionReplica
from vestibule.storage.absent.wake_ups import NoWakeUps
from vestibule.storage.sql import engine
from vestibule.storage.sql import url as database_url
from vestibule.storage.sql.clock import DatabaseClock
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.revision import holds_sealed_keys, require_current
from vestibule.storage.sql.store import SqlStore
from vestibule.storage.sql.timeouts import DEFAULT_TIMEOUTS, DatabaseTimeouts
from vestibule.storage.sql.url import WrongAddress
from vestibule.storage.sql.wake_ups import PostgresqlWakeUps
from vestibule.translations.catalogues import broken_templates
from vestibule.wiring.keys import given_keys, keys, open_key_manager, open_seal
from vestibule.wiring.mailing import mailer, sender
from vestibule.wiring.secret import lacks_secret, make_data_folder, raise_lost_secret

if TYPE_CHECKING:
    from redis.asyncio import Redis

_WATCHING_CONNECTIONS = 2  # one reads revocations, one listens for wake-ups
_SIGNING_THREADS = 1
_SIGNATURES_WAITING = 1000  # under a second of work
# Rate limits wait this long for an answer of Redis, and for a free connection to it.
_RATE_LIMIT_SECONDS, _RATE_LIMIT_CONNECTION_SECONDS = 0.5, 2.0
BCRYPT_ROUNDS = 12  # as in the contract's original server


def read_settings(*checks: Callable[[Settings], object]) -> Settings:
    """Return the settings. Raises `WrongSettings` with a line for each wrong one. `checks` may reject more."""
    return reading.read(partial(_complaints, checks))


def _complaints(checks: Iterable[Callable[[Settings], object]], settings: Settings) -> Iterator[str]:
    """Yield a line for each setting that the code using it would reject. Connects to nothing."""
    for check in (sender, _check_database_url, _redis_if_set, _check_keys, *checks):
        try:
            check(settings)
        except WrongSettings as fault:
            yield from str(fault).splitlines()
    if settings.templates:
        yield from (f"VESTIBULE_TEMPLATES: {fault}" for fault in broken_templates(settings.templates))


def _check_keys(settings: Settings) -> object:
    return settings.keys_are_given and given_keys(settings)


def _check_database_url(settings: Settings) -> object:
    try:
        return database_url.parse(settings.database_address)
    except WrongAddress as fault:
        raise WrongSettings(f"DATABASE_URL: {fault}") from None


def redis_module() -> Any:
    """Return the module `wiring.on_redis`, imported at the first call."""
    return import_module("vestibule.wiring.on_redis")


def _redis_if_set(settings: Settings) -> "Redis | None":
    """Return a client that is not connected yet; None if REDIS_URL is not set. Raises `WrongSettings`."""
    return _redis(settings) if settings.redis_url.get_secret_value() else None


def redis_location(settings: Settings) -> str | None:
    """Return where Redis is, without user and password; None if REDIS_URL is not set. Does not connect. Raises
    `WrongSettings`.
    """
    client = _redis_if_set(settings)
    return None if client is None else str(redis_module().location_of(client))


def _redis(settings: Settings, *timeouts: float) -> "Redis":
    try:
        client: Redis = redis_module().connect(settings.redis_url.get_secret_value(), *timeouts)
    except ValueError as fault:
        raise WrongSettings(f"REDIS_URL: {fault}") from None
    return client


@asynccontextmanager
async def open_env(
    settings: Settings, threads: type[NicedThreads] = NicedThreads, *, make_secret: bool = False
) -> AsyncIterator[Env]:
    """Open everything that a process needs, yield it as an `Env`, and close it at the end of the block. Password hashes
    and signatures are made on `threads`.

    `make_secret`: if the database is a SQLite file and has no secret yet, create the secret that encrypts the keys.
    Raises `WrongSettings`, `SchemaMismatch` or `StoreUnavailable`.
    """
    clock = SystemClock()
    make_secret = make_secret and lacks_secret(settings)
    if not make_secret:
        open_key_manager(settings)  # first, so that a wrong secret is reported before anything is opened
    async with AsyncExitStack() as stack:
        engines = await stack.enter_async_context(database(settings))
        await require_current(engines)
        if make_secret:  # only now: a start that fails must not leave a secret, which the next start would use
            await _require_secret_of_keys(settings, engines)
        key_manager = open_key_manager(settings, make_secret=make_secret)
        watching = engines  # on SQLite; on PostgreSQL, busy requests must not keep background reads waiting
        if not settings.embedded:
            watching = await stack.enter_async_context(database(settings, _WATCHING_CONNECTIONS))
        redis = await stack.enter_async_context(open_redis(settings))
        # Rate limits have connections of their own. If a request gets none of these connections in time, its process
        # counts for itself.
        rate_limit_redis = await stack.enter_async_context(
            open_redis(settings, _RATE_LIMIT_SECONDS, _RATE_LIMIT_CONNECTION_SECONDS)
        )
        readiness = Readiness()
        store = SqlStore(engines, readiness.require_clock)
        signing = stack.enter_context(closing(threads(_SIGNING_THREADS, _SIGNATURES_WAITING)))
        hashing = stack.enter_context(closing(threads(settings.hash_threads, settings.hash_queue)))
        yield Env(
            policy=to_policy(settings),
            clock=clock,
            store=store,
            watching=SqlStore(watching),
            keys=await keys(settings, store, clock, key_manager),
            key_manager=key_manager,
            seal=open_seal(settings),
            passwords=Passwords(hasher(settings), hashing),
            signing=signing,
            replica=redis_module().RedisSessionReplica(redis, clock) if redis else NoSessionReplica(),
            wake_ups=wake_ups(settings, watching, redis),
            limiter=redis_module().limiter(rate_limit_redis, clock) if rate_limit_redis else limiter.in_memory(clock),
            mailer=mailer(settings, clock),
            revocations=RevocationSet(settings.revocation_staleness_seconds),
            memory=CallerMemory(REMEMBERED),
            feed=Feed(settings.followers_within(open_files.connections_within(settings.connections))),
            database_clock=DatabaseClock(watching),
            readiness=readiness,
        )


async def refuse_lost_secret(settings: Settings) -> None:
    """Raise `WrongSettings` if the database has encrypted keys and their secret is gone. Creates nothing."""
    if lacks_secret(settings) and engine.connect(settings.database_address).exists:
        async with database(settings) as engines:
            await _require_secret_of_keys(settings, engines)


async def _require_secret_of_keys(settings: Settings, engines: Engines) -> None:
    # The keys first: another process may just have created the secret and, after it, the keys.
    if await holds_sealed_keys(engines) and lacks_secret(settings):
        raise_lost_secret(settings)


@asynccontextmanager
async def database(
    settings: Settings, connections: int | None = None, timeouts: DatabaseTimeouts = DEFAULT_TIMEOUTS
) -> AsyncIterator[Engines]:
    """Open the database without checking its schema, and yield its engines. `connections` replaces the setting
    VESTIBULE_DATABASE_POOL. Creates the data folder if the default database is used. Raises `WrongSettings` or
    `StoreUnavailable`.
    """
    if not settings.database_url.get_secret_value():
        make_data_folder(settings)
    try:
        engines = engine.connect(settings.database_address, connections or settings.database_pool, timeouts)
    except WrongAddress as fault:
        raise WrongSettings(f"DATABASE_URL: {fault}") from None
    require_folder(settings, engines)
    try:
        yield engines
    finally:
        await engines.close()


def require_folder(settings: Settings, engines: Engines) -> None:
    """Raise `StoreUnavailable` if the folder of the SQLite file in DATABASE_URL is missing. Without DATABASE_URL, the
    file is in the data folder, which the server creates itself.
    """
    folder = engines.folder
    if settings.database_url.get_secret_value() and folder and not is_folder(folder) and not engines.exists:
        raise StoreUnavailable(f"DATABASE_URL: there is no folder {folder}; make it", lasting=True)


@asynccontextmanager
async def open_redis(settings: Settings, *timeouts: float) -> AsyncIterator["Redis | None"]:
    """Open Redis; yield None if REDIS_URL is not set. `timeouts` replace those of `storage.redis.replica.connect`."""
    if not settings.redis_url.get_secret_value():
        yield None
        return
    async with _redis(settings, *timeouts) as redis:
        yield redis


def wake_ups(settings: Settings, watching: Engines, redis: "Redis | None") -> WakeUps:
    """Return what wakes other processes: Redis, PostgreSQL or nothing. Through a pooler, PostgreSQL cannot: LISTEN
    needs a connection that stays the same.
    """
    if redis is not None:
        on_redis: WakeUps = redis_module().RedisWakeUps(redis)
        return on_redis
    return NoWakeUps() if settings.embedded or watching.behind_pooler else PostgresqlWakeUps(watching)


def hasher(settings: Settings) -> Hasher:
    """Return the hasher of passwords."""
    peppers = Peppers(settings.pepper.get_secret_value(), settings.pepper_old.get_secret_value())
    return Hasher(Argon2id(), BCRYPT_ROUNDS if settings.password_hash == "bcrypt" else None, peppers)
