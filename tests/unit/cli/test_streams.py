"""C10: streams that are closed, full or left, for every command: its status says whether its result got anywhere."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from tests.harness import backends
from tests.harness.process import PROGRAM as PROGRAM_OF_TESTS
from tests.harness.process import environment, given_keys, started
from tests.harness.servers import free_port
from tests.unit.cli import every
from tests.unit.cli.cells import Said

PROGRAM = f"{shlex.quote(sys.executable)} -m vestibule"
LOST = "the result is lost"


def shell(folder: Path, line: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        check=False,
        cwd=folder,
        env=environment(folder, given_keys()),
        capture_output=True,
        text=True,
        timeout=120,
    )


# What a redirection leaves of a command that prints a result: its status, and what is said.
STREAMS = [
    (">&-", 1, "vestibule: the standard output is closed, so the result is lost\n"),
    (">/dev/full", 1, "vestibule: the standard output cannot be written, so the result is lost: No space left"),
    ("2>&-", 0, ""),
    ("2>/dev/full", 0, ""),
    (">&- 2>&-", 1, ""),
    (">/dev/full 2>/dev/full", 1, ""),
    ("<&-", 0, ""),
    ("<&- >&- 2>&-", 1, ""),
    ("| true", 1, ""),
]


@pytest.mark.parametrize(("redirection", "status", "said"), STREAMS)
def test_c10_a_result_that_gets_nowhere_is_a_failure(redirection: str, status: int, said: str, tmp_path: Path) -> None:
    backends.embedded(tmp_path / "vestibule-data")
    done = shell(tmp_path, f"{PROGRAM} keys list {redirection}")
    allowed = {status, 0} if "|" in redirection else {status}  # a pipe takes what fits before its reader has left
    assert done.returncode in allowed, done.stderr
    assert done.stderr.startswith(said) if said else not done.stderr
    assert "Traceback" not in done.stderr


# With no server and an empty database, these print a result all the same.
PRINT = {"keys generate", "keys list", "doctor", "services create", "users create"}


@pytest.mark.parametrize("place", ["disk", "pipe"])
def test_c10_every_command_whose_output_gets_nowhere(place: str, tmp_path: Path) -> None:
    """C10: a full disk, and a pipe that nobody reads."""
    backends.embedded(tmp_path / "vestibule-data")
    settings = given_keys() | {"VESTIBULE_URL": f"http://127.0.0.1:{free_port()}"}
    faults = []
    for name in every.NEEDED.keys() - {"serve"}:
        with TemporaryFile() as typed, TemporaryFile() as said, Path("/dev/full").open("wb") as full, unread() as pipe:
            streams = (typed.fileno(), full.fileno() if place == "disk" else pipe, said.fileno())
            status = started(tmp_path, PROGRAM_OF_TESTS, every.arguments(name), settings, streams).wait(60)
            said.seek(0)
            faults += Said(name, status, said.read().decode()).faults({1} if name in PRINT else {0, 1, 2})
    assert not faults, "\n".join(faults)


@contextmanager
def unread() -> Iterator[int]:
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def test_c10_every_kind_of_command_needs_an_output(tmp_path: Path) -> None:
    """Those of a person and groups too; every command ends in the same place."""
    backends.embedded(tmp_path / "vestibule-data")
    kinds = ("login --help", "--version", "keys", "keys list", "doctor --json")
    done = shell(tmp_path, "; ".join(f"{PROGRAM} {kind} >&-; echo $? >&2" for kind in kinds))
    assert done.stderr.count(LOST) == len(kinds), done.stderr
    assert "\n0\n" not in done.stderr
    assert "Traceback" not in done.stderr


def test_c10_what_is_still_in_the_buffer_at_the_end_is_lost_too(tmp_path: Path) -> None:
    """C10: where nothing of it was written before."""
    with Path(os.devnull).open("rb") as given, Path("/dev/full").open("wb") as full, TemporaryFile() as said:
        streams = (given.fileno(), full.fileno(), said.fileno())
        process = started(tmp_path, PROGRAM_OF_TESTS, ["--version"], {}, streams)
        assert process.wait(60) == 1
        said.seek(0)
        assert LOST.encode() in said.read()


def test_c10_what_is_only_said_stops_nothing(tmp_path: Path) -> None:
    assert shell(tmp_path, f"{PROGRAM} migrate >&- 2>/dev/full").returncode == 0
    assert (tmp_path / "vestibule-data" / "vestibule.sqlite3").is_file()
