"""In production each line of `vestibule serve` is JSON, from the first to the last, whoever writes it."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy.engine import make_url

from tests.harness import servers
from tests.harness.backends import Backend, drop
from tests.harness.process import (
    PRODUCTION,
    Running,
    environment,
    given_keys,
    register,
    run,
    serving,
    starting,
    wait_until_it_answers,
)
from tests.harness.redis_server import RedisServer
from tests.harness.servers import WAIT_SECONDS, wait_until
from vestibule import __version__
from vestibule.cli.endings import AS_LOG
from vestibule.storage.sql.schema import REVISION

HUSH = "swordfish-of-the-database"
IN_USE = {**PRODUCTION, **given_keys()}
# As `vestibule` starts where it is in use: not forked from a process that has imported everything.
ANEW = (sys.executable, "-X", "dev", "-m", "vestibule")


def lines_of(*outputs: str) -> list[dict[str, Any]]:
    """Every line, read as JSON; fails on a line that is anything else."""
    lines = [json.loads(line) for output in outputs for line in output.splitlines()]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines), lines
    return lines


def the(event: str, server: Running) -> dict[str, Any]:
    """The one line about an event, once it is there."""
    wait_until(lambda: f'"{event}"' in server.output, event)
    (line,) = [line for line in lines_of(server.output) if line["event"] == event]
    return line


def others_file(folder: Path) -> dict[str, str]:
    with sqlite3.connect(folder / "others.db") as connection:
        connection.execute("CREATE TABLE accounts (id TEXT)")
    connection.close()
    return {"DATABASE_URL": f"sqlite:///{folder}/others.db"}


# What stands in the way, and words of the line about it.
REFUSED = {
    "a wrong setting": ({"PORT": "x"}, "PORT: "),
    "two wrong settings": ({"PORT": "x", "EMAIL_PORT": "y"}, "EMAIL_PORT: "),
    "a name that is no setting": ({"VESTIBULE_PROT": "1"}, "VESTIBULE_PROT: "),
    "a wrong address of Redis": ({"REDIS_URL": f"redis://:{HUSH}@h:x"}, "REDIS_URL: "),
    "a database that does not answer": (
        {"DATABASE_URL": f"postgresql://u:{HUSH}@127.0.0.1:1/d"},
        "the database at 127.0.0.1:1",
    ),
    "no folder": ({"DATABASE_URL": "sqlite:////nowhere/x.db"}, "there is no folder /nowhere"),
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_a_start_that_is_refused_says_why_in_json(given: tuple[dict[str, str], str], tmp_path: Path) -> None:
    settings, words = given
    refuses(tmp_path, words, **settings)


def refuses(folder: Path, words: str, *arguments: str, **settings: str) -> None:
    done = run(folder, "serve", *arguments, **{**IN_USE, **settings})
    lines = lines_of(done.stdout, done.stderr)
    assert done.returncode == lines[-1]["status"] != 0
    assert any(words in line["why"] for line in lines if line["event"] == "start_refused"), lines
    assert HUSH not in done.stdout + done.stderr


def test_a_wrong_option_a_taken_port_and_anothers_file_too(tmp_path: Path) -> None:
    refuses(tmp_path, "No such option: --prot", "--prot", "1")
    with socket.create_server(("127.0.0.1", 0)) as other:
        refuses(tmp_path, "PORT: cannot listen", PORT=str(other.getsockname()[1]))
    refuses(tmp_path, "another program's database", **others_file(tmp_path))


def test_where_the_file_of_settings_says_so_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NODE_ENV=production\nEMAIL_PORT=x\n")
    done = run(tmp_path, "serve", **given_keys(), VESTIBULE_URL="http://localhost:8000")
    assert [line["event"] for line in lines_of(done.stdout, done.stderr)] == ["start_refused"]


def test_an_unmigrated_database_too(empty_database: str, tmp_path: Path) -> None:
    refuses(tmp_path, "run: vestibule migrate", DATABASE_URL=empty_database)


@pytest.mark.parametrize("place", ["/dev/full", "a pipe that nobody reads"])
def test_a_migration_whose_result_is_lost_at_its_end_too(place: str, tmp_path: Path) -> None:
    (tmp_path / "vestibule-data").mkdir()
    parent, kept = os.pipe()  # the migration ends with its parent, who holds the other end
    output = os.open(place, os.O_WRONLY) if place == "/dev/full" else left_pipe()
    done = subprocess.run(
        [sys.executable, "-m", "vestibule.wiring.migrating", AS_LOG],
        check=False,
        cwd=tmp_path,
        env=environment(tmp_path, IN_USE),
        stdin=parent,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=WAIT_SECONDS,
    )
    for each in (parent, kept, output):
        os.close(each)
    whys = [line["why"] for line in lines_of(done.stderr) if line["event"] == "start_refused"]
    assert done.returncode == 1
    assert ["the result is lost" in why for why in whys] == ([True] if place == "/dev/full" else [])


def left_pipe() -> int:
    """The writing end of a pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def test_its_first_and_last_lines_say_where_it_is_and_why_it_ended(backend: Backend, tmp_path: Path) -> None:
    url = make_url(backend.database_url)
    postgresql = url.drivername == "postgresql"
    if postgresql:
        url = url.set(password=url.password or HUSH)
    settings = {**IN_USE, **backend.environment, "DATABASE_URL": url.render_as_string(hide_password=False)}
    with serving(tmp_path, "--workers", "2", **settings, VESTIBULE_DRAIN_SECONDS="0") as server:
        with server.browser() as browser:
            register(browser, "ada@example.com")
        started = the("server_started", server)
        assert server.stop() == 0
        ended = lines_of(server.output)[-1]
        assert str(url.password or HUSH) not in server.output
    assert started | {"timestamp": ""} == {
        "event": "server_started",
        "level": "info",
        "timestamp": "",
        "version": __version__,
        "schema": REVISION,
        "listening": f"http://127.0.0.1:{server.port}",
        "url": "http://localhost:8000",
        "metrics": None,
        "database": "postgresql" if postgresql else "sqlite",
        "database_at": f"{url.host}:{url.port}/{url.database}" if postgresql else url.database,
        "redis": servers.redis().removeprefix("redis://") if postgresql else None,
        "mail": None,
        "processes": 2,
    }
    assert (ended["event"], ended["why"], ended["workers_killed"], ended["status"]) == (
        "server_stopped",
        "SIGTERM",
        0,
        0,
    )
    assert ended["draining_seconds"] >= 0


def test_of_port_0_the_line_has_the_port_that_it_got(tmp_path: Path) -> None:
    with starting(tmp_path, "--port", "0", **IN_USE) as server:
        told = re.fullmatch(r"http://127\.0\.0\.1:(\d+)", the("server_started", server)["listening"])
        assert told
        assert servers.listening(int(told[1]))


def test_a_stop_while_it_prepares_is_an_end_too(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        starting(
            tmp_path, **IN_USE, DATABASE_URL=f"postgresql://u:{HUSH}@127.0.0.1:{silent.getsockname()[1]}/d"
        ) as server,
    ):
        silent.accept()[0].close()
        assert server.stop() in {0, 1}
        assert lines_of(server.output)[-1]["event"] in {"server_stopped", "start_refused"}


def worker_of(server: Running) -> psutil.Process:
    parent = psutil.Process(server.process.pid)
    wait_until(lambda: bool(parent.children()), "a worker")
    return parent.children()[0]


def test_a_worker_that_is_killed_is_a_line_and_another_takes_its_place(tmp_path: Path) -> None:
    with serving(tmp_path, **IN_USE) as server:
        killed = worker_of(server)
        killed.kill()
        ended = the("worker_ended", server)
        assert (ended["worker"], ended["pid"], ended["status"]) == (1, killed.pid, -signal.SIGKILL)
        wait_until_it_answers(server)
        lines_of(server.output)


def break_settings(folder: Path) -> None:
    (folder / ".env").write_text("EMAIL_PORT=x\n")


def break_database(folder: Path) -> None:
    with sqlite3.connect(folder / "vestibule-data" / "vestibule.sqlite3") as connection:
        connection.execute("UPDATE vestibule_schema SET version_num = '9999'")
    connection.close()


# What the worker in the place of a killed one finds, and the line about it.
BROKEN = {"settings": (break_settings, "worker_failed"), "database": (break_database, "application_failed")}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_worker_that_cannot_start_is_json_and_so_is_the_end(broken: Any, tmp_path: Path) -> None:
    spoil, event = broken
    with serving(tmp_path, **IN_USE) as server:
        spoil(tmp_path)
        worker_of(server).kill()
        assert server.process.wait(60) == 1
        lines = lines_of(server.output)
    assert event in {line["event"] for line in lines}
    assert (lines[-1]["event"], lines[-1]["status"]) == ("server_stopped", 1)


# What Python or a library does in each worker before Vestibule has configured its log, and in its parent before that.
CARELESS = """
import os, threading, warnings

def fail():
    raise RuntimeError("of a thread\\nwith two lines")

def be_careless():
    warnings.warn("of a library\\nwith two lines", UserWarning)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

os.register_at_fork(after_in_child=be_careless)
"""


def test_what_python_prints_in_a_worker_is_json_before_the_worker_has_a_log(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(CARELESS)
    found = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with serving(tmp_path, program=ANEW, **IN_USE, PYTHONPATH=found) as server:
        assert server.stop() == 0
        lines = lines_of(server.output)
    uncaught = next(line for line in lines if line["event"] == "uncaught_exception")
    assert "of a thread\nwith two lines" in uncaught["exception"]
    assert any("of a library\nwith two lines" in line["event"] for line in lines)


def test_what_is_missing_is_named_and_so_is_its_return(tmp_path: Path) -> None:
    """Redis by host and port, by the log at the start and later, and by the doctor; the server stays ready."""
    redis = RedisServer("--requirepass", HUSH)
    at = f"127.0.0.1:{redis.port}"
    settings = {**IN_USE, "REDIS_URL": f"redis://:{HUSH}@{at}/0"}
    try:
        with serving(tmp_path, **settings) as server:
            assert the("redis_unavailable", server)["redis"] == at
            redis.start()
            assert the("redis_available_again", server)["redis"] == at
            redis.stop()
            assert server.ask("GET", "/healthz/ready").status_code == 200
            examined = run(tmp_path, "doctor", "--json", **settings)
            assert HUSH not in server.output + examined.stdout
        assert f"cannot be reached at {at}: " in examined.stdout
    finally:
        redis.remove()


async def test_postgresql_is_named_when_it_is_lost(postgresql: Backend, tmp_path: Path) -> None:
    url = make_url(postgresql.database_url)
    with serving(tmp_path, **IN_USE, **postgresql.environment) as server:
        await drop(postgresql.database_url)
        wait_until(lambda: '"database_unavailable"' in server.output, "the loss")
        lost = next(line for line in lines_of(server.output) if line["event"] == "database_unavailable")
    assert (lost["database"], lost["fault"]) == (f"{url.host}:{url.port}", "store_unavailable")
