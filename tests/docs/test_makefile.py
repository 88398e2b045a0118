"""`make` lists what it can do, and `make test` runs both of its parts, says what was slow, and is red if either was."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.paths import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
DESCRIBED = re.findall(r"^([^\s:#=]+):.*?## (.+)$", MAKEFILE, re.MULTILINE)
FIRST, BROWSER = "the others", "the browser"
STANDING_IN = """\
#!/bin/sh
echo "$@"
case "$*" in *"--ignore tests/running/browser"*) exit {first};; *) exit {browser};; esac
"""


def test_every_target_that_says_what_it_does_is_listed() -> None:
    """Whatever characters its name has: the list is made by a pattern, which once knew no digits."""
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True)
    listed = [tuple(line.split(maxsplit=1)) for line in done.stdout.splitlines()[1:]]
    assert listed == DESCRIBED


def test_every_target_that_makes_no_file_says_what_it_does() -> None:
    [phony] = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony.split() == [name for name, _ in DESCRIBED]


@pytest.mark.parametrize("target", [name for name, _ in DESCRIBED])
def test_make_can_read_the_recipe_of_every_target(target: str) -> None:
    """A bracket too many is complained of only when that target is asked for."""
    command = ["make", "--dry-run", "--no-print-directory", target]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("red", [(), (FIRST,), (BROWSER,), (FIRST, BROWSER)], ids=" and ".join)
def test_the_browser_tests_run_whatever_became_of_the_others(tmp_path: Path, red: tuple[str, ...]) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / "Makefile").write_text(MAKEFILE)
    program = tmp_path / ".venv/bin/python"
    program.write_text(STANDING_IN.format(first=int(FIRST in red), browser=int(BROWSER in red)))
    program.chmod(0o755)
    command = ["make", "--no-print-directory", "--old-file=.venv/dev.stamp", "test"]
    (tmp_path / ".venv/dev.stamp").touch()
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    first, browser = done.stdout.splitlines()
    assert first.endswith("--durations 10 --ignore tests/running/browser")
    assert browser.endswith("--durations 10 tests/running/browser"), "it is said last"
    assert (done.returncode != 0) == bool(red)
