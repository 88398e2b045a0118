"""From the first schema to the newest with people signed in, and back again on the backup made before."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from tests.conftest import not_to_be_had
from tests.harness import backends, servers
from tests.harness.backends import SQLITE, postgresql_database
from tests.harness.process import PASSWORD, complaint, given_keys, run, serving
from tests.harness.world import FRONT_END, given_key_ring
from vestibule.crypto import jws
from vestibule.crypto.entropy import new_id
from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.storage.sql import engine
from vestibule.storage.sql import migrate as migrations
from vestibule.storage.sql.schema import REVISION

EMAIL = "ada@example.com"
ACCOUNT, SESSION = new_id(), new_id()
# As the version with schema 0001 wrote them.
INSERT_ACCOUNT = """
    INSERT INTO accounts (id, name, address, role, verified, password_hash, photo, epoch, created_at, updated_at)
    VALUES (:id, 'Ada', :address, 'user', true, :hash, 'default.png', 0, :now, :now)
"""
INSERT_SESSION = """
    INSERT INTO sessions (id, account_id, user_agent, network_address, created_at, last_seen_at, idle_expires_at,
                          expires_at, issued_at, current, parent, base)
    VALUES (:id, :account, 'Firefox', '192.0.2.7', :now, :now, :idle, :end, :now, 1, 0, 0)
"""
INSERT_LETTER = """
    INSERT INTO letters (id, kind, account_id, created_at, due_at, attempts)
    VALUES (:id, 'reset_password', :account, :now, :now, 0)
"""


@pytest.mark.parametrize("kind", backends.ALL)
async def test_who_is_signed_in_stays_so_through_the_upgrade(kind: str, tmp_path: Path) -> None:
    if kind == SQLITE:
        await upgraded(f"sqlite:///{tmp_path}/old.sqlite3", tmp_path)
        return
    try:
        async with postgresql_database() as address:
            await upgraded(address, tmp_path)
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)


async def upgraded(address: str, folder: Path) -> None:
    """Somebody signed in under schema 0001, with a letter on its way; the new version takes over."""
    now = datetime.now(UTC)  # noqa: TID251  # of the servers' own clock
    await first_schema(address, now)
    access, refresh = tokens(now)
    if not address.startswith("sqlite"):  # a file of its own, the server upgrades by itself
        refused = await asyncio.to_thread(run, folder, "serve", *elsewhere(), DATABASE_URL=address, **given_keys())
        assert "vestibule migrate" in complaint(refused.stderr)
        migrated = await asyncio.to_thread(run, folder, "migrate", DATABASE_URL=address, **given_keys())
        assert migrated.returncode == 0, migrated.stderr
    await asyncio.to_thread(all_is_well, address, folder, access, refresh)


def elsewhere() -> tuple[str, str]:
    """On a port that nobody has."""
    return ("--port", str(servers.free_port()))


def all_is_well(address: str, folder: Path, access: str, refresh: str) -> None:
    """Token, refresh, password and the letter: everything from before works."""
    with (
        serving(folder, DATABASE_URL=address, **given_keys()) as server,
        httpx.Client(base_url=server.base, headers={"Origin": FRONT_END}, timeout=servers.WAIT_SECONDS) as client,
    ):
        bearer = {"Authorization": f"Bearer {access}"}
        assert client.get("/api/users/me", headers=bearer).json()["data"]["user"]["email"] == EMAIL
        answer = client.post("/api/auth/refresh", headers={"Cookie": f"refresh_token={refresh}"})
        assert answer.status_code == 200
        assert answer.cookies["refresh_token"] != refresh
        login = client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
        assert login.status_code == 200, login.text
        servers.wait_until(lambda: any(letter["To"] == EMAIL for letter in server.letters), "the letter from before")


async def first_schema(address: str, now: datetime) -> None:
    """Schema 0001 with an account, a session of it and a letter to it."""
    engines = engine.connect(address)
    password_hash = Hasher(Argon2id()).hash(PASSWORD)
    async with engines.sqlalchemy_transaction(seconds=None) as connection:
        await connection.run_sync(_to_0001)
        account = {"id": ACCOUNT, "address": EMAIL, "hash": password_hash, "now": now}
        await connection.execute(text(INSERT_ACCOUNT).bindparams(**account))
        session = {"id": SESSION, "account": ACCOUNT, "now": now}
        ends = {"idle": now + timedelta(hours=1), "end": now + timedelta(days=30)}
        await connection.execute(text(INSERT_SESSION).bindparams(**session, **ends))
        await connection.execute(text(INSERT_LETTER).bindparams(id=new_id(), account=ACCOUNT, now=now))
    await engines.close()


def _to_0001(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


def tokens(now: datetime) -> tuple[str, str]:
    """The session's two tokens, with the claims that the first version gave them."""
    issued = int(now.timestamp())
    access: dict[str, Any] = {
        "iss": "vestibule",
        "aud": "vestibule",
        "sub": ACCOUNT,
        "sid": SESSION,
        "jti": new_id(),
        "role": "user",
        "iat": issued,
        "exp": issued + 900,
    }
    refresh = {"iss": "vestibule", "aud": "vestibule#refresh", "sid": SESSION, "n": 1, "iat": issued}
    keys = given_key_ring()
    return (
        jws.sign(access, keys.access.signing, "at+jwt"),
        jws.sign(refresh | {"exp": issued + 3600}, keys.refresh.signing, "rt+jwt"),
    )


def test_a_version_of_before_says_what_to_do_with_a_newer_schema(tmp_path: Path) -> None:
    """Which this version would be, before the next one."""
    address = f"sqlite:///{tmp_path}/newer.sqlite3"
    assert run(tmp_path, "migrate", DATABASE_URL=address, **given_keys()).returncode == 0
    newer = f"{int(REVISION) + 1:04}"

    async def pretend() -> None:
        engines = engine.connect(address)
        async with engines.sqlalchemy_transaction() as connection:
            await connection.execute(text("UPDATE vestibule_schema SET version_num = :newer").bindparams(newer=newer))
        await engines.close()

    asyncio.run(pretend())
    refused = run(tmp_path, "serve", *elsewhere(), DATABASE_URL=address, **given_keys())
    assert "restore the backup made before it" in complaint(refused.stderr)
