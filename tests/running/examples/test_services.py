"""Three services behind one Vestibule, by the one command: signed out at one place, refused by all of them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from examples.services import __main__ as examples
from tests.harness.process import PASSWORD, environment, given_keys
from tests.harness.servers import free_ports, listening, wait_until

ROOT = Path(__file__).parents[3]
WALKS = {
    "README.md": "## Services in FastAPI, Flask and Django\n",
    "examples/services/README.md": "# Example: three services in FastAPI, Flask and Django\n",
}
STOP_SECONDS = 90
UNTIL_REFUSED = """
for attempt in $(seq 100); do
  after=$({asked_again})
  case $after in *" of"*) sleep 0.1 ;; *) break ;; esac
done
echo "---- $after"
"""
"""A service hears of a sign-out within milliseconds, on a busy machine later than a reader's next line is typed."""


@pytest.fixture(scope="module")
def first_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Everything runs, from this port on, for both walks: four programs start."""
    tmp_path = tmp_path_factory.mktemp("services")
    port, log = free_ports(4), tmp_path / "log"
    settings = {"PORT": str(port), "PYTHONPATH": str(ROOT), **given_keys()}
    with log.open("wb") as output:
        command = [sys.executable, "-m", "examples.services"]
        running = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment(tmp_path, {}) | settings,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        # Four programs compile themselves at once, on a machine that has other tests to run.
        wait_until(lambda: "All are there." in log.read_text() or running.poll() is not None, "the services", 300)
        assert running.poll() is None, log.read_text()
        yield port
        os.killpg(running.pid, signal.SIGINT)  # to the whole group, as a terminal's Ctrl-C
        running.wait(STOP_SECONDS)
        assert not any(listening(port + number) for number in range(4)), "something was left running"
        said = log.read_text()
        assert "Ending.\n" in said
        assert "Killed" not in said, said
        assert "[WARNING]" not in said, said
    finally:
        end_all(running)


def end_all(running: "subprocess.Popen[bytes]") -> None:
    """End the examples, which end what they started; kill them where they hang."""
    running.terminate()
    with suppress(subprocess.TimeoutExpired):
        running.wait(STOP_SECONDS)
    running.kill()
    running.wait()


@pytest.mark.parametrize(("page", "section"), WALKS.items(), ids=["readme", "example"])
def test_the_walk_through_the_page(first_port: int, tmp_path: Path, page: str, section: str) -> None:
    """What a reader types, block after block, in one shell; the password is typed where it is asked for."""
    text = (ROOT / page).read_text().partition(section)[2].partition("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert blocks[0].startswith("make examples ")
    signed_in, signed_out = blocks[1:]
    sign_out, asked_again = signed_out.strip().rsplit("\n", 1)
    script = "\n".join([signed_in, sign_out, UNTIL_REFUSED.format(asked_again=asked_again)])
    for number in range(4):
        script = script.replace(f"800{number}", str(first_port + number))
    (tmp_path / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        ["bash", "-ec", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment(tmp_path, {"PORT": str(first_port)}),
        input=f"{PASSWORD}\n",
        timeout=300,
    )
    before, _, after = done.stdout.partition("----")
    assert re.findall(r'"(\w+ of)": ?"[0-9a-f-]{36}"', before) == ["orders of", "invoices of", "letters of"]
    assert " of" not in after
    assert after.count("Invalid token or session has expired") == 3


DEAF = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print(os.getpid(), child, flush=True)
signal.pause()
"""


def ended(child: int) -> bool:
    """Whether a process whose parent is gone has ended, and is only waited for by nobody."""
    try:
        return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_what_does_not_end_is_killed_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(examples, "STOP_SECONDS", 0.2)
    said: list[str] = []
    with ExitStack() as stack:
        process = examples.start(stack, sys.executable, "-c", DEAF)
        wait_until(lambda: any(said) or bool(said.append(capfd.readouterr().out)), "its first line")
    parent, child = map(int, "".join(said).split())
    assert (process.pid, process.returncode) == (parent, -signal.SIGKILL)
    wait_until(lambda: ended(child), "the end of its child")
    assert capfd.readouterr().out.startswith("Killed, because it did not end: ")


def test_without_the_frameworks_one_line_says_what_to_run(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules.update(flask=None, django=None); from examples.services.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(tmp_path, {"PYTHONPATH": str(ROOT)}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"django and flask cannot be imported by {sys.executable}; run: make examples\n"


def test_a_service_that_does_not_start_ends_all(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.services"],
        cwd=tmp_path,
        env=environment(tmp_path, {"PYTHONPATH": str(ROOT), "PORT": str(free_ports(4)), "ORIGIN": "nonsense"}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "ORIGIN: " in done.stderr
    assert done.stderr.splitlines()[-1].endswith("has ended; the lines above say why.")


def test_what_they_need_is_pinned_as_the_tests_have_it() -> None:
    """`make examples` installs them alone: a subset of what the tests ran on."""
    pinned = {name: (ROOT / "requirements" / name).read_text() for name in ("examples.lock", "dev.lock")}
    lines = [set(re.findall(r"^[a-z0-9].*?==[^ ;]+|^ +--hash=\S+", text, re.MULTILINE)) for text in pinned.values()]
    assert lines[0] <= lines[1]
    assert {line.partition("==")[0] for line in lines[0] if "==" in line} >= {"django", "flask", "werkzeug"}
