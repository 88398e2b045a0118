"""The README is run: each command of its tour is typed, and what comes back is compared word for word.

Only what differs by nature (ids, times, tokens, addresses, folders) is blotted out on both sides. `make serve`
starts `vestibule serve` itself, because the environment that make would build is the one that runs the test.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import not_to_be_had
from tests.docs.paths import ROOT
from tests.harness import backends, servers
from tests.harness.servers import WAIT_SECONDS, NotToBeHad, free_port, listening, wait_until

FIRST_START = "First start"
TOUR = "Five minutes with curl"
ON_SERVERS = "PostgreSQL and Redis"

PORT_IN_README = "8000"
STOP_SECONDS = 20
# Wide enough for no line to be broken; how a banner is wrapped depends on the length of the folder's name.
WIDE = "400"
_END_OF_BANNER = re.compile("╯.*\n")

SECRET = r"\b[0-9a-f]{64}\b"
BLOTS = {
    r"[\u2500-\u257f]": " ",  # the banner's box
    r"eyJ[\w.-]+…?": "(token)",
    SECRET: "(secret)",
    r"\b[0-9a-f]{32}\b": "(request)",
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "(id)",
    r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z": "(time)",
    r"\b\d{8}-\d{6}-(\w+)-[0-9a-f]{8}\.eml": r"(letter \1)",
    r"postgresql://\S+": "(database)",
    r"(?<= )/\S*/vestibule-data": "(data)",
    r"Redis\s+\S+:\d+": "",  # a row of the banner that only the second tour has
    r"(?<=Migrated to )(?:\d{4}|NNNN)": "(newest)",
    r"\s+": " ",
}


class Reader:
    """Somebody who types what the README says, and reads the server's log beside it."""

    def __init__(self, folder: Path, addresses: dict[str, str]) -> None:
        self._folder = folder
        self._addresses = addresses
        self._port = free_port()
        self._log = folder / "server.log"
        self._read = 0
        self._secret = ""
        self._server: subprocess.Popen[bytes] | None = None
        # As `make` leaves it; the proxies and settings of the user who runs the tests stay outside.
        (folder / ".venv").symlink_to(sys.prefix)
        path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self._environment = {"PATH": path, "HOME": str(folder), "PORT": str(self._port), "COLUMNS": WIDE}

    def follow(self, section: str) -> None:
        """Do all that a section of the README says."""
        blocks = _blocks(section)
        assert blocks, f"the README has nothing to run in {section!r}"
        self._read = len(self._log.read_text()) if self._server else 0  # what the last section left is read
        for kind, text in blocks:
            if kind == "log":
                for line in text.splitlines():
                    self._compare("the log", self._next_in_log(), line)
                continue
            for command, expected in _commands(text):
                self._compare(command, self._type(command), expected)

    def stop(self) -> None:
        """End the server, and whatever it started."""
        if self._server is None:
            return
        self._server.send_signal(signal.SIGTERM)
        try:
            self._server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()

    def _type(self, command: str) -> str:
        if command.startswith("export "):
            name = command.removeprefix("export ").partition("=")[0]
            self._environment[name] = self._addresses[name]
            return ""
        if command == "make serve":
            return self._serve()
        command = re.sub(SECRET, self._secret, self._here(command))
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
        return done.stdout

    def _serve(self) -> str:
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                ["vestibule", "serve"],
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: _END_OF_BANNER.search(self._log.read_text()) is not None, "the banner")
        written = self._log.read_text()
        end = _END_OF_BANNER.search(written)
        assert end
        self._read = end.end()
        # The worker measures meanwhile, and may have said so before.
        banner = "\n".join(line for line in written[: self._read].split("\n") if "password_hashing" not in line)
        # The banner is a moment early; nobody types that fast.
        wait_until(lambda: listening(self._port), "the server")
        return banner

    def _next_in_log(self) -> str:
        """The next line, except the one that comes whenever a measurement is over."""
        line = self._line_of_log()
        return self._line_of_log() if "password_hashing" in line else line

    def _line_of_log(self) -> str:
        wait_until(lambda: "\n" in self._log.read_text()[self._read :], "a line in the log")
        line = self._log.read_text()[self._read :].partition("\n")[0]
        self._read += len(line) + 1
        found = re.search(SECRET, line)
        self._secret = found.group() if found else self._secret
        return line

    def _compare(self, what: str, seen: str, expected: str) -> None:
        assert _blotted(seen) == _blotted(self._here(expected)), what

    def _here(self, text: str) -> str:
        return text.replace(f":{PORT_IN_README}", f":{self._port}")


@pytest.fixture(scope="module", autouse=True)
def _curl() -> None:
    if shutil.which("curl") is None:
        not_to_be_had(NotToBeHad("curl: the README's tour cannot be typed without it"))


@pytest.fixture
async def addresses() -> AsyncIterator[dict[str, str]]:
    """An empty PostgreSQL database and a Redis, as the README's settings."""
    try:
        redis = servers.redis()
        async with backends.postgresql_database() as database:
            yield {"DATABASE_URL": database, "REDIS_URL": f"{redis}/0", "VESTIBULE_SECRET_KEY": "n" * 43}
    except NotToBeHad as reason:
        not_to_be_had(reason)


def test_the_tour_from_an_empty_folder(tmp_path: Path) -> None:
    with _reading(tmp_path, {}) as reader:
        reader.follow(FIRST_START)
        reader.follow(TOUR)
        reader.follow(TOUR)


def test_the_same_tour_on_postgresql_and_redis(tmp_path: Path, addresses: dict[str, str]) -> None:
    with _reading(tmp_path, addresses) as reader:
        reader.follow(ON_SERVERS)
        reader.follow(TOUR)


@contextmanager
def _reading(folder: Path, addresses: dict[str, str]) -> Iterator[Reader]:
    reader = Reader(folder, addresses)
    try:
        yield reader
    finally:
        reader.stop()


def _blocks(section: str) -> list[tuple[str, str]]:
    """The fenced blocks of a section that are commands (`console`) or lines of the log (`log`), in order."""
    text = (ROOT / "README.md").read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```(console|log)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _commands(block: str) -> list[tuple[str, str]]:
    """Each command, after a `$`, and what is printed below it."""
    return [(command, printed) for command, _, printed in (part.partition("\n") for part in block.split("$ ")[1:])]


def _blotted(text: str) -> str:
    for pattern, blot in BLOTS.items():
        text = re.sub(pattern, blot, text)
    return text.strip()
