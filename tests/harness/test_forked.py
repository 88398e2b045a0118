"""A process that is forked from the zygote behaves as one that was started."""

import signal
from pathlib import Path

import pytest

from tests.harness import forked
from tests.harness.forked import Forked
from tests.harness.process import PROGRAM, environment, given_keys, run, starting

STARTED = [*PROGRAM]  # equal in all but its type, so that it is not taken for what may be forked


@pytest.mark.parametrize("arguments", [["keys", "--help"], ["events", "--no-such"]], ids=" ".join)
def test_it_says_and_returns_the_same(tmp_path: Path, arguments: list[str]) -> None:
    quick, slow = run(tmp_path, *arguments), run(tmp_path, *arguments, program=STARTED)
    assert (quick.returncode, quick.stdout, quick.stderr) == (slow.returncode, slow.stdout, slow.stderr)
    assert quick.stdout + quick.stderr


def test_it_knows_its_own_settings_and_folder_and_nobody_elses(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    refused = run(tmp_path / "a", "keys", "list", PORT="nonsense")
    assert refused.returncode == 2
    assert refused.stderr.startswith("vestibule: PORT")
    assert run(tmp_path / "b", "keys", "list", **given_keys()).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_as_it_is_told(tmp_path: Path, number: signal.Signals) -> None:
    with starting(tmp_path, **given_keys()) as server:
        assert isinstance(server.process, Forked)
        assert server.process.poll() is None
        assert server.stop(number) in {-number, 0}
        assert server.process.poll() == server.process.returncode


@pytest.mark.parametrize("name", ["COLUMNS", "PYTHONIOENCODING", "LC_ALL", "VESTIBULE_METRICS", "VESTIBULE_TRACES"])
def test_what_is_read_before_main_is_started(tmp_path: Path, name: str) -> None:
    assert forked.possible(environment(tmp_path, {}))
    assert not forked.possible(environment(tmp_path, {name: "1"}))
