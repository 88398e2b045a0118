"""C35: what comes on the standard input is a line of text, in whatever locale, or one line says that it is none."""

import io
import shlex
import sys
from pathlib import Path

import pytest

from tests.harness import backends
from tests.harness.process import complaint
from tests.unit.cli.test_streams import PROGRAM, shell
from vestibule.cli.prompt import ask
from vestibule.cli.usage import WrongUsage

LOCALES = [
    "LC_ALL=C",
    "LC_ALL=POSIX",
    "LC_ALL=C.UTF-8",
    "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0",
    "PYTHONIOENCODING=utf-8:strict",
    "PYTHONIOENCODING=utf-8:surrogateescape",
]
AT = "--url http://127.0.0.1:1"
# What reads, and what it is given.
READS = {
    "password": (r"printf '\xff\xfe\n'", f"login ada@example.com {AT}"),
    "email": (r"printf '\xff\xfe\nsecret\n'", f"login {AT}"),
    "password after an email": (r"printf 'ada@example.com\n\xed\xa0\x80\n'", f"login {AT}"),
    "whether it is meant": (r"printf '\xff\xfe\n'", "users delete ada@example.com"),
}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("read", READS)
def test_c35_bytes_that_are_no_text_are_one_line(read: str, locale: str, tmp_path: Path) -> None:
    backends.embedded(tmp_path / "vestibule-data")
    given, command = READS[read]
    done = shell(tmp_path, f"{given} | env {locale} {PROGRAM} {command}")
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
    last = complaint(done.stderr.strip().rpartition("[y/N]:")[2])
    assert "not UTF-8" in last or (command.startswith("users") and last == "aborted")


LINES = [
    ("secret\n", "secret"),
    ("secret\r\n", "secret"),
    ("secret", "secret"),
    ("secret\r", "secret\r"),
    ("secret\r\r\n", "secret\r"),
    (" secret \r\n", " secret "),
    ("secret\n\n", "secret"),
    ("se\x0bcret\u2028\n", "se\x0bcret\u2028"),
]


@pytest.mark.parametrize(("given", "read"), LINES)
def test_c35_of_a_line_only_its_end_is_dropped(given: str, read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(given, newline=""))
    assert ask("Password", hidden=True) == read


@pytest.mark.parametrize("given", ["", "\n", "\r\n", "x" * 10_001, "x" * 10_000 + "\n", "\udcff\n"])
def test_c35_no_line_and_one_without_end_are_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(given, newline=""))
    with pytest.raises(WrongUsage):
        ask("Password", hidden=True)


def test_c35_the_password_of_a_script_may_end_as_on_windows(tmp_path: Path) -> None:
    """C35: it gets as far as one that ends otherwise: to a server that is not there."""
    program = shlex.join([sys.executable, "-m", "vestibule"])
    done = shell(tmp_path, rf"printf 'secret\r\n' | {program} login ada@example.com {AT}")
    assert "could not be reached" in complaint(done.stderr)
