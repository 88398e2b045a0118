"""`vestibule serve` on PostgreSQL and Redis: several processes as one, and every reason not to start in one line."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from tests.harness import servers
from tests.harness.backends import Backend
from tests.harness.process import (
    Running,
    complaint,
    given_keys,
    link_in,
    run,
    serving,
    sign_in,
    starting,
    tour,
    wait_until_it_answers,
)

PASSWORD = "swordfish-of-the-database"
SECRET = "a secret of more than thirty-two characters"
MANY = 40


def with_password(address: str, **changes: str) -> str:
    """The address as people have it. Where the server trusts loopback, any password does."""
    url = make_url(address)
    return url.set(password=url.password or PASSWORD, **changes).render_as_string(hide_password=False)


def test_two_processes_are_one_server(postgresql: Backend, tmp_path: Path) -> None:
    address = with_password(postgresql.database_url)
    settings = {**postgresql.environment, "DATABASE_URL": address, **given_keys()}
    with serving(tmp_path, "--workers", "2", **settings) as server:
        assert "2 processes" in server.words
        with server.browser() as browser:
            tour(browser, "ada@example.com", lambda: link_in(server.output))
            sign_in(browser, "ada@example.com")
            bearer = {"Authorization": f"Bearer {browser.cookies['access_token']}"}
            assert statuses(server, bearer) == {200}
            assert browser.get("/api/auth/logout").status_code == 200
        servers.wait_until(
            lambda: statuses(server, bearer) == {401}, "the sign-out to reach the other process, which is woken"
        )
        assert statuses(server, bearer) == {401}
        assert str(make_url(address).password) not in server.output
        assert server.stop() == 0


def statuses(server: Running, headers: dict[str, str]) -> set[int]:
    """What `me` answers on many connections, so that each process is asked."""
    return {server.ask("GET", "/api/users/me", headers=headers).status_code for _ in range(MANY)}


async def test_two_first_starts_at_once_make_one_key_for_each_use_and_another_secret_opens_neither(
    postgresql: Backend, tmp_path: Path
) -> None:
    settings = {**postgresql.environment, "VESTIBULE_SECRET_KEY": SECRET}
    with ExitStack() as stack:
        both = [stack.enter_context(starting(tmp_path, **settings)) for _ in range(2)]
        for server in both:
            wait_until_it_answers(server)
        first, second = (published_by(server) for server in both)
    assert first["keys"][0] == second["keys"][0], "the one that signs; the next one is published a moment later"
    signing = "SELECT use FROM signing_keys WHERE state = 'current' ORDER BY use"
    assert await column(postgresql.database_url, signing) == ["access", "refresh"]
    refused = run(tmp_path, "serve", **settings | {"VESTIBULE_SECRET_KEY": SECRET.upper()})
    assert refused.returncode == 2
    assert complaint(refused.stderr).startswith("VESTIBULE_SECRET_KEY: ")
    assert SECRET.upper() not in refused.stderr


def published_by(server: Running) -> dict[str, list[dict[str, str]]]:
    """The public keys that the server shows."""
    keys: dict[str, list[dict[str, str]]] = server.ask("GET", "/.well-known/jwks.json").json()
    return keys


async def column(address: str, query: str) -> list[str]:
    """The first column of a query's answer."""
    connection = await asyncpg.connect(address)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


def test_an_unmigrated_database_is_one_line(empty_database: str, tmp_path: Path) -> None:
    refused = run(tmp_path, "serve", DATABASE_URL=empty_database, **given_keys())
    assert refused.returncode == 1
    assert "vestibule migrate" in complaint(refused.stderr)


async def test_a_newer_schema_is_one_line(postgresql: Backend, tmp_path: Path) -> None:
    await column(postgresql.database_url, "UPDATE vestibule_schema SET version_num = '9999'")
    for command in ("serve", "migrate"):
        refused = run(tmp_path, command, DATABASE_URL=postgresql.database_url, **given_keys())
        assert refused.returncode == 1
        assert "newer than this version" in complaint(refused.stderr)


Wrong = Callable[[str], str]
# What is wrong; the address that is wrong like this, given the right one; and the exit status: 2 if an operator must
# correct something.
OUT_OF_REACH: dict[str, tuple[Wrong, int]] = {
    "nobody listens": (lambda _: f"postgresql://ada:{PASSWORD}@127.0.0.1:{servers.free_port()}/vestibule", 1),
    "no such host": (lambda _: f"postgresql://ada:{PASSWORD}@nowhere.invalid/vestibule", 1),
    "no such database": (lambda right: with_password(right, database="no_such_database"), 2),
    "no such user": (lambda right: with_password(right, username="nobody_of_that_name"), 2),
}


@pytest.mark.parametrize(("wrong", "status"), OUT_OF_REACH.values(), ids=OUT_OF_REACH)
def test_a_database_out_of_reach_is_one_line(wrong: Wrong, status: int, postgresql: Backend, tmp_path: Path) -> None:
    address = wrong(postgresql.database_url)
    refused = run(tmp_path, "serve", DATABASE_URL=address, **given_keys())
    assert str(make_url(address).password) not in refused.stdout + refused.stderr
    assert refused.returncode == status
    names_it = "DATABASE_URL: " if status == 1 else f"{make_url(address).host}:{make_url(address).port} "
    assert complaint(refused.stderr).startswith(names_it)


def test_a_redis_out_of_reach_does_not_stop_the_start(postgresql: Backend, tmp_path: Path) -> None:
    gone = {**postgresql.environment, "REDIS_URL": f"redis://127.0.0.1:{servers.free_port()}/0"}
    with serving(tmp_path, **gone, **given_keys()) as server, server.browser() as browser:
        tour(browser, "ada@example.com", lambda: link_in(server.output))
