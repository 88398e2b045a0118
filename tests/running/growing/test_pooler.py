"""PgBouncer in transaction mode, the real one: every connection of the server's is everybody's."""

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.conftest import not_to_be_had
from tests.harness.backends import Backend
from tests.harness.process import Running, given_keys, link_in, serving, sign_in, tour
from tests.harness.servers import WAIT_SECONDS, free_port, listening, wait_until

SERVER_CONNECTIONS = 3
CLIENTS = 12
ROUNDS = 8
CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listens_on}
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
unix_socket_dir =
"""


@pytest.fixture
def pooled(postgresql: Backend, tmp_path: Path) -> Iterator[str]:
    """The database's address through a pooler with a few connections for all."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if program is None:
        not_to_be_had(RuntimeError("PgBouncer: no pgbouncer on the PATH; Debian has it"))
    url, port = make_url(postgresql.database_url), free_port()
    folder = tmp_path / "pooler"
    folder.mkdir()
    text = CONFIGURATION.format(
        host=url.host, port=url.port, user=url.username, listens_on=port, connections=SERVER_CONNECTIONS
    )
    (folder / "pgbouncer.ini").write_text(text)
    command = [str(program), str(folder / "pgbouncer.ini"), *_as_nobody(folder)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: listening(port), "the pooler")
        yield f"postgresql://{url.username}@127.0.0.1:{port}/{url.database}?pgbouncer=true"
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


def _as_nobody(folder: Path) -> list[str]:
    """PgBouncer does not run as root."""
    for parent in (folder, *folder.parents):
        if parent.owner() != "root" or parent == Path("/tmp"):
            break
        parent.chmod(parent.stat().st_mode | 0o055)
    return ["-u", "nobody"] if Path("/proc/self").owner() == "root" else []


def test_the_contracts_day_through_a_pooler(pooled: str, tmp_path: Path) -> None:
    with serving(tmp_path, DATABASE_URL=pooled, **given_keys()) as server, server.browser() as browser:
        tour(browser, "ada@example.com", lambda: link_in(server.output))


def test_many_at_once_on_few_connections_at_two_servers(pooled: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    settings = {"DATABASE_URL": pooled, **given_keys()}
    with serving(tmp_path / "a", **settings) as a, serving(tmp_path / "b", **settings) as b:
        with ThreadPoolExecutor(CLIENTS) as pool:
            statuses = [s for each in pool.map(lambda n: a_day((a, b), n), range(CLIENTS)) for s in each]
        assert set(statuses) == {200}
        assert "prepared statement" not in a.output + b.output


def a_day(servers: tuple[Running, Running], number: int) -> list[int]:
    """Register, sign in, then refresh and look at both servers in turn: the statuses."""
    statuses = []
    with servers[number % 2].browser() as browser:
        email = f"ada{number}@example.com"
        body = {"name": "Ada", "email": email, "password": "correct horse", "passwordConfirm": "correct horse"}
        assert browser.post("/api/auth/register", json=body).status_code == 201
        sign_in(browser, email)
        for turn in range(ROUNDS):
            base = servers[turn % 2].base
            statuses += [
                browser.get(f"{base}/api/auth/refresh").status_code,
                browser.get(f"{base}/api/users/me").status_code,
            ]
    return statuses
