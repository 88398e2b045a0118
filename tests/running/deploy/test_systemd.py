"""deploy/systemd: the units shut their programs in, those run so, and a backup can be restored."""

import asyncio
import ctypes
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.conftest import not_to_be_had
from tests.docs.paths import ROOT
from tests.harness.backends import Backend, postgresql_database
from tests.harness.process import PROGRAM, given_keys, link_in, serving, serving_somebody, sign_in, tour
from tests.harness.servers import NotToBeHad
from tests.running.growing.test_backup import TOOLS

UNITS = ROOT / "deploy" / "systemd"
SERVICES = ("vestibule.service", "vestibule-backup.service")
BACKUP = UNITS / "vestibule-backup.py"
MOST_EXPOSED = 13
"""In tenths, of 100: what is left is the network, which a server is there for, and files of the system, read-only."""
PR_SET_MDWE, PR_SET_NO_NEW_PRIVS = 65, 38
EMAIL = "ada@example.com"
SHUT_IN = """
mount -t proc -o hidepid=invisible,subset=pid proc /proc
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$SCRATCH"
export TMPDIR="$SCRATCH"
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


def settings_of(unit: str) -> list[tuple[str, str]]:
    """The lines `NAME=value` of a unit, in order."""
    return re.findall(r"^(\w+)=(.*)$", (UNITS / unit).read_text(), re.MULTILINE)


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_is_as_little_exposed_as_systemd_can_make_it(unit: str) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        not_to_be_had(NotToBeHad("systemd-analyze: no systemd here"))
    command = [
        str(program),
        "security",
        "--offline=true",
        f"--threshold={MOST_EXPOSED}",
        "--no-pager",
        str(UNITS / unit),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_units_shut_in_alike() -> None:
    [server, backup] = [settings_of(unit) for unit in SERVICES]
    after = server.index(("AmbientCapabilities", ""))
    shut_in = [line for line in server[after:] if line[0] != "WantedBy"]
    assert len(shut_in) > 20
    assert shut_in == backup[backup.index(("AmbientCapabilities", "")) :]
    assert ("User", "vestibule") in server
    assert ("User", "vestibule") in backup


def no_memory_that_is_written_and_run() -> None:
    """As MemoryDenyWriteExecute=: for this process and what it starts (Linux 6.3)."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_MDWE, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_MDWE")


def shut_in(folder: Path) -> tuple[str, ...]:
    """The program, as the unit lets it be: no capabilities, /proc without the system's, no memory written and run."""
    wanted = [shutil.which(name) for name in ("unshare", "setpriv", "bash")]
    if None in wanted or os.geteuid() != 0 or sys.platform != "linux":
        not_to_be_had(NotToBeHad("unshare and setpriv, as root on Linux"))
    scratch = folder / "scratch"
    scratch.mkdir()
    script = folder / "shut-in"
    script.write_text(f"SCRATCH={scratch}\n{SHUT_IN}")
    python = (
        f"import ctypes, os, sys; ctypes.CDLL(None).prctl({PR_SET_MDWE}, 1, 0, 0, 0) and sys.exit('no MDWE'); "
        "os.execvp(sys.argv[1], sys.argv[1:])"
    )
    apart = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-e", str(script))
    return (*apart, sys.executable, "-c", python, *PROGRAM)


def test_the_server_does_its_work_shut_in_as_the_unit_does(tmp_path: Path) -> None:
    try:
        probe = subprocess.run([sys.executable, "-c", ""], preexec_fn=no_memory_that_is_written_and_run, check=False)
    except subprocess.SubprocessError:
        not_to_be_had(NotToBeHad("PR_SET_MDWE: Linux 6.3 or later"))
    assert probe.returncode == 0
    with serving(tmp_path, "--workers", "2", program=shut_in(tmp_path)) as server, server.browser() as browser:
        tour(browser, EMAIL, lambda: link_in(server.output))


def backed_up(folder: Path, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run what the unit runs."""
    around = {"PATH": f"{TOOLS}:{os.environ['PATH']}", **settings}
    command = [sys.executable, str(BACKUP), str(folder), *words]
    return subprocess.run(command, env=around, capture_output=True, text=True, check=False, timeout=120)


def test_the_file_is_backed_up_while_it_is_in_use_and_restored(tmp_path: Path) -> None:
    first, second, kept = tmp_path / "first", tmp_path / "second" / "vestibule-data", tmp_path / "kept"
    for folder in (first, second, kept):
        folder.mkdir(parents=True)
    open_to_all = os.umask(0o022)
    try:
        with serving_somebody(first, EMAIL):
            done = backed_up(kept, VESTIBULE_DATA=str(first / "vestibule-data"))
    finally:
        os.umask(open_to_all)
    assert done.returncode == 0, done.stderr
    [made] = kept.iterdir()
    assert done.stdout == f"{made}\n"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    shutil.copy(made, second / "vestibule.sqlite3")
    with serving(second.parent, **given_keys()) as server, server.browser() as browser:
        sign_in(browser, EMAIL)


async def test_postgresql_is_dumped_and_restored(postgresql: Backend, tmp_path: Path) -> None:
    try:
        async with postgresql_database() as restored:
            await asyncio.to_thread(dumped_and_restored, postgresql.database_url, restored, tmp_path)
            there = await asyncpg.connect(restored)
            assert await there.fetchval("SELECT count(*) FROM vestibule_schema") == 1
            await there.close()
    except NotToBeHad as reason:
        not_to_be_had(reason)


def dumped_and_restored(url: str, restored: str, folder: Path) -> None:
    done = backed_up(folder, DATABASE_URL=f"{url}{'&' if '?' in url else '?'}pgbouncer=true")
    assert done.returncode == 0, done.stderr
    [made] = folder.iterdir()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    subprocess.run([TOOLS / "pg_restore", "--no-owner", f"--dbname={restored}", made], check=True, timeout=120)


def database_in(folder: Path) -> str:
    """A data folder with a database that has one table."""
    folder.mkdir()
    with sqlite3.connect(folder / "vestibule.sqlite3") as database:
        database.execute("CREATE TABLE accounts (id TEXT)")
    return str(folder)


def test_the_oldest_backups_go_only_once_a_new_one_is_whole(tmp_path: Path) -> None:
    data, kept = database_in(tmp_path / "data"), tmp_path / "kept"
    kept.mkdir()
    older = [kept / f"vestibule-2026010{day}T030000Z.sqlite3" for day in range(1, 5)]
    for path in [*older, kept / "vestibule-of-mine.sqlite3", kept / "partial"]:
        path.write_text("")
    failed = backed_up(kept, "--keep", "2", VESTIBULE_DATA=str(tmp_path / "nowhere"))
    assert failed.returncode == 1
    assert "no backup was made, and none deleted" in failed.stderr
    assert not (tmp_path / "nowhere").exists()
    assert set(older) < set(kept.iterdir())
    assert backed_up(kept, "--keep", "2", VESTIBULE_DATA=data).returncode == 0
    there = sorted(path.name for path in kept.iterdir())
    assert len(there) == 3
    assert older[-1].name in there
    assert "vestibule-of-mine.sqlite3" in there


def test_a_damaged_database_makes_no_backup(tmp_path: Path) -> None:
    data, kept = database_in(tmp_path / "data"), tmp_path / "kept"
    kept.mkdir()
    (Path(data) / "vestibule.sqlite3").write_bytes(b"not a database" * 500)
    failed = backed_up(kept, VESTIBULE_DATA=data)
    assert failed.returncode == 1
    assert "no backup was made" in failed.stderr
    assert list(kept.glob("vestibule-*")) == []


def test_no_password_is_among_the_arguments_that_other_users_see(tmp_path: Path) -> None:
    tools, seen = tmp_path / "tools", tmp_path / "seen"
    tools.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (tools / name).write_text(
            f'#!/bin/sh\necho "$0 $*" >> {seen}\n[ "${{0##*/}}" = pg_restore ] || env >> {seen}.env\n'
            'for word; do case "$word" in --file=*) : > "${word#--file=}";; esac; done\n'
        )
        (tools / name).chmod(0o755)
    url = "postgresql://ada:open%20sesame@db.example.com:6432/accounts?sslmode=require&schema=auth&pgbouncer=true"
    around = {"PATH": f"{tools}:{os.environ['PATH']}", "DATABASE_URL": url}
    subprocess.run([sys.executable, str(BACKUP), str(tmp_path)], env=around, check=True, timeout=60)
    assert "sesame" not in seen.read_text()
    assert "--schema=auth" in seen.read_text()
    given = set((tmp_path / "seen.env").read_text().splitlines())
    assert {
        "PGHOST=db.example.com",
        "PGPORT=6432",
        "PGUSER=ada",
        "PGPASSWORD=open sesame",
        "PGDATABASE=accounts",
        "PGSSLMODE=require",
    } <= given
