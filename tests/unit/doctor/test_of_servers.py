"""What the servers tell: PostgreSQL, SQLite, Redis and a mail server, each well and in each kind of trouble."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from tests.conftest import not_to_be_had
from tests.harness import backends, servers
from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.mail_server import HOST, PASSWORD, USER, MailServer, running
from tests.harness.older_keys import OlderKeyManager
from tests.harness.process import given_keys
from tests.harness.servers import free_port
from tests.unit.doctor import FAULT, FINE, HINT, WARNING, severity_of
from tests.unit.doctor.conftest import Chosen
from tests.unit.storage import stored_account
from vestibule.crypto import jwk
from vestibule.crypto.seal import Seal
from vestibule.doctor import database, mail, redis
from vestibule.flows.open_key_ring import make_keys, open_key_ring
from vestibule.model.clock import SystemClock
from vestibule.model.events import Event, EventKind
from vestibule.model.findings import Finding
from vestibule.model.signing_keys import KeyManager, KeyState, KeyUse
from vestibule.model.totp import Totp, seal_secret
from vestibule.settings.fields import Settings
from vestibule.storage.sql.store import SqlStore
from vestibule.wiring import opening

HUSH = "swordfish-of-the-servers"
SECRET = "a secret that is long enough to be one, 123456"
SMALL, SMALL_BITS = 5_000_000, 2048


async def look(settings: Settings) -> list[Finding]:
    return await database.check(settings, SystemClock())


async def test_a_good_database(chosen: Chosen, backend: Backend) -> None:
    found = await look(chosen(**backend.environment))
    assert {finding.severity for finding in found} == {FINE}
    assert severity_of(found, "SQL") is FINE
    assert severity_of(found, "none yet; the first start makes them") is FINE


def test_nothing_is_made_by_looking(chosen: Chosen, tmp_path: Path) -> None:
    assert severity_of(asyncio.run(look(chosen())), "which the first start will create") is FINE
    assert list(tmp_path.iterdir()) == []


async def test_no_database(chosen: Chosen, tmp_path: Path) -> None:
    port = free_port()
    found = await look(chosen(DATABASE_URL=f"postgresql://ada:{HUSH}@127.0.0.1:{port}/vestibule"))
    assert severity_of(found, "cannot be reached") is FAULT
    [lost] = [finding for finding in found if "cannot be reached" in finding.what]
    assert lost.remedy.endswith(f"psql -h 127.0.0.1 -p {port} -U ada -d vestibule -c 'select 1'")
    nowhere = f"sqlite:///{tmp_path}/no/such/folder/vestibule.sqlite3"
    assert severity_of(await look(chosen(DATABASE_URL=nowhere)), "there is no folder") is FAULT
    assert severity_of(await look(chosen(DATABASE_URL="mysql://localhost/x")), "DATABASE_URL:") is FAULT


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Backend]:
    async with backends.fresh(backends.SQLITE, tmp_path) as made:
        yield made


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
async def test_a_file_that_another_program_has_locked(chosen: Chosen, sqlite: Backend, lock: str) -> None:
    settings = chosen(**sqlite.environment)
    with closing(sqlite3.connect(file_of(sqlite), isolation_level=None)) as other:
        other.execute(lock)
        [found] = await look(settings)
        other.execute("ROLLBACK")
    assert (found.severity, "has locked" in found.what, "fuser -v /" in found.remedy) == (FAULT, True, True)
    assert severity_of(await look(settings), "SQLite") is FINE


async def test_a_file_that_nobody_else_may_even_read(chosen: Chosen, sqlite: Backend) -> None:
    settings = chosen(**sqlite.environment)
    with closing(sqlite3.connect(file_of(sqlite), isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE vestibule_schema SET version_num = version_num")
        [found] = await look(settings)
    assert (found.severity, "database is locked" in found.what, "fuser -v /" in found.remedy) == (FAULT, True, True)


def file_of(sqlite: Backend) -> str:
    return sqlite.database_url.partition("///")[2]


async def test_another_schema(chosen: Chosen, postgresql: Backend) -> None:
    settings = chosen(DATABASE_URL=postgresql.database_url)
    async with opening.database(settings) as engines, engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("UPDATE vestibule_schema SET version_num = '0001'"))
    assert severity_of(await look(settings), "the database has schema 0001") is FAULT


async def test_clocks_apart(chosen: Chosen, postgresql: Backend) -> None:
    clock = ManualClock()
    clock.advance(seconds=SystemClock().now().timestamp() - clock.now().timestamp() + 10)
    settings = chosen(DATABASE_URL=postgresql.database_url)
    assert severity_of(await database.check(settings, clock), "s apart") is WARNING
    clock.advance(hours=1)
    assert severity_of(await database.check(settings, clock), "s apart") is FAULT


def test_a_server_that_is_too_small(chosen: Chosen, tmp_path: Path) -> None:
    settings = chosen(VESTIBULE_DATABASE_POOL="50")
    assert (
        severity_of([*database.too_few_connections(settings, 100)], "up to 52 connections, and the server has 100")
        is WARNING
    )
    assert [*database.too_few_connections(settings, 104)] == []
    assert severity_of([*database.low_disk(tmp_path, 499_000_000)], "499 MB are left") is WARNING
    assert [*database.low_disk(tmp_path, 500_000_000)] == []


def test_a_server_that_only_reads() -> None:
    assert severity_of([*database.on_standby(standby=True)], "is a standby") is FAULT
    assert [*database.on_standby(standby=False)] == []


async def test_everybody_seems_to_be_the_proxy(chosen: Chosen, backend: Backend, production: dict[str, str]) -> None:
    settings = chosen(**{**production, **backend.environment})
    event = Event(SystemClock().now(), EventKind.SIGNED_IN, network_address="172.18.0.1")
    async with opening.database(settings) as engines, SqlStore(engines).transaction() as tx:
        await tx.events.record(*[event] * 19)
    assert severity_of(await look(settings), "all came from") is None
    async with opening.database(settings) as engines, SqlStore(engines).transaction() as tx:
        await tx.events.record(event)
    assert severity_of(await look(settings), "all came from 172.18.0.1") is WARNING


async def keep_keys(settings: Settings, clock: ManualClock | SystemClock) -> None:
    await keep_keys_of(KeyManager(Seal(SECRET), jwk.DEFAULT_ALGORITHM, SMALL_BITS), settings, clock)


async def keep_keys_of(key_manager: KeyManager, settings: Settings, clock: ManualClock | SystemClock) -> None:
    async with opening.database(settings) as engines:
        await open_key_ring(SqlStore(engines), clock, key_manager)


async def test_no_keys_and_no_secret_yet(chosen: Chosen, postgresql: Backend) -> None:
    """The first machine on PostgreSQL: there is no other to copy the secret from."""
    [finding] = [
        each for each in await look(chosen(DATABASE_URL=postgresql.database_url)) if "no secret to seal" in each.what
    ]
    assert finding.severity is FAULT
    assert "secrets.token_urlsafe(32)" in finding.remedy


async def test_keys_of_another_secret(chosen: Chosen, backend: Backend) -> None:
    await keep_keys(chosen(**backend.environment | {"VESTIBULE_SECRET_KEY": ""}), SystemClock())
    assert severity_of(await look(chosen()), "no secret to open them with") is FAULT
    assert severity_of(await look(chosen(VESTIBULE_SECRET_KEY=SECRET[::-1])), "under another secret") is FAULT
    assert severity_of(await look(chosen(VESTIBULE_SECRET_KEY=SECRET)), "a key has 2048 bits") is HINT


@pytest.mark.parametrize("given", [False, True], ids=["stored keys", "keys of the settings"])
async def test_f3_apps_of_another_secret(
    chosen: Chosen, backend: Backend, production: dict[str, str], given: bool
) -> None:
    """F3: a lost secret silences no app: the doctor says how many, and what their owners do."""
    keys = {name: value for name, value in production.items() if given and name.startswith("JWT_")}
    settings = chosen(**backend.environment | keys | {"VESTIBULE_SECRET_KEY": SECRET})
    async with opening.database(settings) as engines:
        store = SqlStore(engines)
        account = await stored_account(store)
        async with store.transaction() as tx:
            await tx.totps.add(
                Totp("1", account.id, seal_secret(Seal(SECRET), "1", b"secret"), account.created_at), account.created_at
            )
    what = "sealed under another secret than this machine's: 1"
    assert severity_of(await look(settings), what) is None
    assert severity_of(await look(chosen(VESTIBULE_SECRET_KEY=SECRET[::-1])), what) is FAULT
    both = chosen(VESTIBULE_SECRET_KEY=SECRET[::-1], VESTIBULE_SECRET_KEY_OLD=SECRET)
    assert severity_of(await look(both), what) is None


async def test_old_keys(chosen: Chosen, backend: Backend) -> None:
    settings = chosen(**backend.environment | {"VESTIBULE_SECRET_KEY": SECRET})
    clock = ManualClock()
    await keep_keys(settings, clock)
    clock.advance(days=366)
    found = [finding for finding in await database.check(settings, clock) if "has signed for 366 days" in finding.what]
    assert [finding.severity for finding in found] == [WARNING, WARNING]


async def test_refresh_keys_from_before_decision_0038(chosen: Chosen, backend: Backend) -> None:
    settings, clock = chosen(**backend.environment | {"VESTIBULE_SECRET_KEY": SECRET}), SystemClock()
    older, today = (kind(Seal(SECRET), jwk.DEFAULT_ALGORITHM, SMALL_BITS) for kind in (OlderKeyManager, KeyManager))
    slow = "refresh tokens are signed with an RSA key"
    await keep_keys_of(older, settings, clock)
    assert severity_of(await look(settings), slow) is HINT
    async with opening.database(settings) as engines:
        store, later = SqlStore(engines), clock.now() + timedelta(days=1)
        for key_manager, remedy in ((older, "--use refresh, twice"), (today, "--use refresh, once")):
            await make_keys(store, clock, key_manager, [KeyUse.REFRESH], KeyState.NEXT)
            found = next(finding for finding in await look(settings) if finding.what == slow)
            assert remedy in found.remedy
            async with store.transaction() as tx:
                await tx.signing_keys.advance(KeyUse.REFRESH, later, clock.now(), later)
    assert severity_of(await look(settings), slow) is None


async def test_keys_of_the_settings(chosen: Chosen, backend: Backend) -> None:
    given = given_keys()
    assert severity_of(await look(chosen(**backend.environment, **given)), "a key has 2048 bits") is HINT
    given["JWT_ACCESS_TOKEN_PUBLIC_KEY"] = given["JWT_REFRESH_TOKEN_PUBLIC_KEY"]
    assert severity_of(await look(chosen(**given)), "is not the public half") is FAULT


@pytest.fixture
async def own_redis(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a Redis that nobody else uses, so that its rules may be changed."""
    try:
        address, process = await asyncio.to_thread(servers.start_redis, free_port(), tmp_path)
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)
    yield f"{address}/0"
    process.kill()
    process.wait()


async def test_redis(chosen: Chosen, own_redis: str) -> None:
    settings = chosen(REDIS_URL=own_redis)
    assert [finding.severity for finding in await redis.check(settings)] == [FINE]
    async with Redis.from_url(own_redis) as client:
        await client.config_set("maxmemory-policy", "allkeys-lru")
        assert severity_of(await redis.check(settings), "its eviction policy is allkeys-lru") is WARNING
        await client.set("much", b"x" * SMALL)
        await client.config_set("maxmemory-policy", "noeviction")
        await client.config_set("maxmemory", SMALL)
        assert severity_of(await redis.check(settings), "MB are in use") is WARNING


async def test_no_redis(chosen: Chosen, production: dict[str, str]) -> None:
    assert severity_of(await redis.check(chosen()), "not needed") is FINE
    port = free_port()
    [lost] = await redis.check(chosen(REDIS_URL=f"redis://:{HUSH}@127.0.0.1:{port}/0"))
    assert (lost.severity, lost.what.partition(": ")[0]) == (WARNING, f"cannot be reached at 127.0.0.1:{port}")
    assert lost.remedy.endswith(f"REDISCLI_AUTH=… redis-cli -h 127.0.0.1 -p {port} ping")
    assert severity_of(await redis.check(chosen(REDIS_URL="http://localhost")), "REDIS_URL:") is FAULT


async def test_redis_far_away_in_clear(chosen: Chosen, own_redis: str, production: dict[str, str]) -> None:
    far = own_redis.replace("127.0.0.1", "[::ffff:127.0.0.1]")
    settings = chosen(**production, REDIS_URL=far)
    assert severity_of(await redis.check(settings), "is not encrypted") is HINT


async def test_a_mail_server(chosen: Chosen) -> None:
    server = MailServer()
    with running(server) as port:
        found = await mail.check(chosen(EMAIL_HOST=HOST, EMAIL_PORT=str(port)))
    assert severity_of(found, "answers, without TLS") is FINE
    assert {finding.severity for finding in found} == {FINE}
    assert server.commands == []


async def test_a_mail_server_that_refuses_the_password(chosen: Chosen) -> None:
    given = {"EMAIL_HOST": HOST, "EMAIL_USER": USER, "VESTIBULE_EMAIL_SECURITY": "none"}
    with running(MailServer(), auth_require_tls=False) as port:
        good = await mail.check(chosen(**given, EMAIL_PORT=str(port), EMAIL_PASS=PASSWORD))
        bad = await mail.check(chosen(EMAIL_PASS="hush-hush"))
    assert severity_of(good, "answers") is FINE
    assert severity_of(bad, "refuses the password") is FAULT
    assert "hush-hush" not in str(bad)


async def test_a_mail_server_without_the_tls_that_a_password_needs(chosen: Chosen) -> None:
    with running(MailServer()) as port:
        settings = chosen(EMAIL_HOST=HOST, EMAIL_PORT=str(port), EMAIL_USER=USER, EMAIL_PASS=PASSWORD)
        (found,) = await mail.check(settings)
    assert found.severity is FAULT
    assert "EMAIL_HOST as in the server's certificate" in found.remedy


async def test_a_mail_server_elsewhere_in_clear(chosen: Chosen) -> None:
    elsewhere = {"EMAIL_HOST": "127.1", "VESTIBULE_EMAIL_SECURITY": "none"}
    with running(MailServer(), auth_require_tls=False) as port:
        settings = chosen(**elsewhere, EMAIL_PORT=str(port))
        assert severity_of(await mail.check(settings), "emails go to 127.1 without TLS") is HINT
        settings = chosen(EMAIL_USER=USER, EMAIL_PASS=PASSWORD)
        assert severity_of(await mail.check(settings), "the password goes to 127.1 without TLS") is WARNING


async def test_c25_a_password_in_clear_is_told_of_though_the_server_does_not_answer(chosen: Chosen) -> None:
    given = {"EMAIL_HOST": "127.1", "EMAIL_PORT": str(free_port()), "EMAIL_USER": USER, "EMAIL_PASS": PASSWORD}
    found = await mail.check(chosen(**given, VESTIBULE_EMAIL_SECURITY="none"))
    assert severity_of(found, "the password goes to 127.1 without TLS") is WARNING
    assert severity_of(found, "127.1:") is FAULT


async def test_no_mail_server(chosen: Chosen, production: dict[str, str]) -> None:
    assert severity_of(await mail.check(chosen()), "no EMAIL_HOST") is FINE
    gone = chosen(EMAIL_HOST=HOST, EMAIL_PORT=str(free_port()))
    assert severity_of(await mail.check(gone), f"{HOST}:") is FAULT
    assert severity_of(await mail.check(chosen(**production, EMAIL_HOST="")), "no EMAIL_HOST") is FAULT


async def test_a_sender_that_mail_servers_refuse(chosen: Chosen, production: dict[str, str]) -> None:
    own = chosen(**{**production, "VESTIBULE_EMAIL_FROM": "no-reply@localhost"})
    assert severity_of(await mail.check(own), "the sender is no-reply@localhost") is FAULT
    assert severity_of(await mail.check(chosen(VESTIBULE_EMAIL_FROM="nonsense")), "VESTIBULE_EMAIL_FROM:") is FAULT
