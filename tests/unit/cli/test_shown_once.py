"""C34: what is shown only once is made only where it can be shown, and its loss says what to do."""

import os
import shlex
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from tests.harness import backends
from tests.harness.process import PROGRAM as PROGRAM_OF_TESTS
from tests.harness.process import given_keys, started
from tests.unit.cli.test_streams import PROGRAM, shell
from vestibule.cli.console import show_once
from vestibule.process import streams
from vestibule.process.streams import OutputLost

MAKES = {"users create ada@example.com": "accounts", "services create billing": "service_keys"}
UNWRITABLE = [">&-", ">/dev/full", "1</dev/null", ">&- 2>&-", ">/dev/full 2>/dev/full"]


def made(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "vestibule-data" / "vestibule.sqlite3")) as database:
        (count,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # of this file
    return int(count)


@pytest.mark.parametrize("redirection", UNWRITABLE)
@pytest.mark.parametrize("command", MAKES)
def test_c34_nothing_is_made_where_nothing_can_be_shown(command: str, redirection: str, tmp_path: Path) -> None:
    backends.embedded(tmp_path / "vestibule-data")
    done = shell(tmp_path, f"{PROGRAM} {command} {redirection}")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert made(tmp_path, MAKES[command]) == 0
    if "2>" not in redirection:
        assert "nothing was done" in done.stderr
    assert shell(tmp_path, f"{PROGRAM} {command} >shown").returncode == 0
    assert (tmp_path / "shown").read_text().strip()
    assert made(tmp_path, MAKES[command]) == 1


@pytest.mark.parametrize("command", MAKES)
def test_c34_nothing_is_made_where_nobody_reads_any_more(command: str, tmp_path: Path) -> None:
    backends.embedded(tmp_path / "vestibule-data")
    reader, writer = os.pipe()
    os.close(reader)
    with Path(os.devnull).open("rb") as nothing, TemporaryFile() as said:
        streams_ = (nothing.fileno(), writer, said.fileno())
        assert started(tmp_path, PROGRAM_OF_TESTS, command.split(), given_keys(), streams_).wait(60) == 1
        os.close(writer)
        said.seek(0)
        assert b"nothing was done" in said.read()
    assert made(tmp_path, MAKES[command]) == 0


@pytest.mark.parametrize("command", MAKES)
def test_c34_nothing_is_made_where_the_file_s_disk_is_full(command: str, tmp_path: Path) -> None:
    """C34: writing zero bytes there succeeds, and the secret would not fit."""
    backends.embedded(tmp_path / "vestibule-data")
    (tmp_path / "small").mkdir()
    on_small_disk = (
        f"mount -t tmpfs -o size=4k none small && {{ cat /dev/zero >small/full; {PROGRAM} {command} >small/key; }}"
    )
    if shell(
        tmp_path, f"unshare --user --map-root-user --mount bash -c {shlex.quote('mount -t tmpfs none small')}"
    ).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    done = shell(tmp_path, f"unshare --user --map-root-user --mount bash -c {shlex.quote(on_small_disk)}")
    assert done.returncode == 1, done.stderr
    assert "No space left on device, so nothing was done" in done.stderr
    assert made(tmp_path, MAKES[command]) == 0


def test_c34_what_is_lost_all_the_same_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """C34: as on a disk that was full only once it was written."""
    with suppress(OSError), Path("/dev/full").open("w") as full:  # which fails once more when it is closed
        out = streams._Output(full, closed=False)
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setattr(os, "dup2", lambda *_: None)  # which would take this process's own output away
        with pytest.raises(OutputLost, match=r"No space left(.|\n)*have a letter sent"):
            show_once("secret", "there is an account; have a letter sent")
