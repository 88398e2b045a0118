"""Run Vestibule as a process, as an operator does: start it, wait for it, read its output, use it and stop it."""

import base64
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Any

import httpx

from tests.harness import backends, forked
from tests.harness import run as tests_run
from tests.harness.forked import Forked
from tests.harness.servers import WAIT_SECONDS, free_port, wait_until
from tests.harness.world import FRONT_END, given_key_ring

PROGRAM = (sys.executable, "-m", "vestibule")
PASSWORD = "correct horse"
UNLIMITED = {"VESTIBULE_SIGN_INS_PER_NETWORK": "1000000"}
"""Settings for a load that all comes from one network address. By default it would count as an attack."""
PRODUCTION = {"NODE_ENV": "production", "VESTIBULE_URL": "http://localhost:8000", "ORIGIN": FRONT_END}
"""Settings of a server in production, which is reached from this machine only."""
# No server here uses TLS, and to load the machine's certificates takes 30 ms of CPU for each client.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_STOP_SECONDS = 60
_RUN_SECONDS = 300
_GLANCE_SECONDS = 0.1  # between two looks at the output
_GLANCES = 1800
_MOST_READ = 1_000_000


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    process: "subprocess.Popen[bytes] | Forked"
    folder: Path
    port: int
    log: Path

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """Return the server's output so far, of both streams."""
        return self.log.read_text()

    @property
    def words(self) -> str:
        """Return the output without frames and line breaks."""
        return re.sub(r"[\s│╭╮╰╯─]+", " ", self.output)

    @property
    def letters(self) -> list[Message]:
        """Return the letters in the server's mail folder, oldest first."""
        paths = sorted((self.folder / "vestibule-data" / "mail").glob("*.eml"))
        return [message_from_bytes(path.read_bytes()) for path in paths]

    def browser(self) -> httpx.Client:
        """Return a new client that sends the front-end's origin, as a browser does."""
        return httpx.Client(base_url=self.base, headers={"Origin": FRONT_END}, timeout=WAIT_SECONDS, verify=_NO_TLS)

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Send one request as a program does, without an origin, and return the answer. Waits longer than httpx by
        default.
        """
        with httpx.Client(base_url=self.base, timeout=WAIT_SECONDS, verify=_NO_TLS) as client:
            return client.request(method, path, **sent)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal, wait for the end, and return the exit code; raises `subprocess.TimeoutExpired`."""
        self.process.send_signal(number)
        return self.process.wait(_STOP_SECONDS)


def interruptible() -> None:
    """Make a child heed SIGINT before its program begins: a shell makes programs in the background ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    """Return a process's environment: PATH and HOME, TMPDIR by which it ends with this run, and the settings."""
    tests_run.folder()
    given = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "TMPDIR") if name in os.environ}
    return {**given, "HOME": str(folder), **settings}


def run(
    folder: Path, *arguments: str, typed: str = "", program: Sequence[str] = PROGRAM, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end with `typed` as its input, and return its exit code and output. A `serve` that starts,
    though a test expects it to fail, is killed once it listens. If the settings have keys, an empty database is made
    first.
    """
    if arguments[:1] == ("serve",):  # on any port: that of the settings may be somebody's
        settings = {"PORT": "0", **settings}
    if program == PROGRAM and _gives_no_place(settings):
        backends.embedded(folder / "vestibule-data")
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(typed.encode())
        given.seek(0)
        process = started(folder, program, arguments, settings, (given.fileno(), out.fileno(), err.fileno()))
        try:
            _wait_for_the_end(process, out.fileno(), err.fileno())
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        said = [stream.seek(0) or stream.read().decode().replace("\r\n", "\n") for stream in (out, err)]
    return subprocess.CompletedProcess([*program, *arguments], code, *said)


def _wait_for_the_end(process: "subprocess.Popen[bytes] | Forked", *streams: int) -> None:
    """Wait until the process has ended, or says that it listens: then it would not end. Raises `TimeoutExpired`."""
    end = time.monotonic() + _RUN_SECONDS
    while not any(says_it_listens(os.pread(stream, _MOST_READ, 0).decode()) for stream in streams):
        try:
            process.wait(_GLANCE_SECONDS)
        except subprocess.TimeoutExpired:
            if time.monotonic() > end:
                raise
        else:
            return


def started(
    folder: Path,
    program: Sequence[str],
    arguments: Sequence[str],
    settings: dict[str, str],
    streams: tuple[int, int, int],
) -> "subprocess.Popen[bytes] | Forked":
    """Start a process in a session of its own. Forks it if `forked.possible`, which is a hundred times as fast."""
    around = environment(folder, settings)
    if program == PROGRAM and forked.possible(around):
        return Forked([*arguments], folder, around, streams)
    stdin, stdout, stderr = streams
    return subprocess.Popen(
        [*program, *arguments],
        cwd=folder,
        env=around,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


@contextmanager
def starting(
    folder: Path,
    *arguments: str,
    port: int | None = None,
    program: Sequence[str] = PROGRAM,
    output: int | None = None,
    **settings: str,
) -> Iterator[Running]:
    """Start `vestibule serve` on a free port, without waiting for an answer, and kill it after the block. Its output
    goes to the descriptor `output`, or to a file. If the settings have keys, an empty database is made first; otherwise
    the server makes both.
    """
    port = port or free_port()
    if program == PROGRAM and _gives_no_place(settings):
        backends.embedded(folder / "vestibule-data")
    with NamedTemporaryFile(prefix="vestibule-log-") as log, Path(os.devnull).open("rb") as nothing:
        said = log.fileno() if output is None else output
        streams = (nothing.fileno(), said, said)
        process = started(folder, program, ["serve", "--port", str(port), *arguments], settings, streams)
        try:
            yield Running(process, folder, port, Path(log.name))
        finally:
            # Its workers too: they outlive a parent that is killed.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _gives_no_place(settings: dict[str, str]) -> bool:
    return settings.keys() >= given_keys().keys() and not {"DATABASE_URL", "VESTIBULE_DATA"} & settings.keys()


@contextmanager
def serving(folder: Path, *arguments: str, program: Sequence[str] = PROGRAM, **settings: str) -> Iterator[Running]:
    """Yield a `vestibule serve` that answers, and kill it after the block."""
    with starting(folder, *arguments, program=program, **settings) as server:
        wait_until_it_answers(server)
        yield server


def wait_until_it_answers(server: Running) -> None:
    """Wait until the server says that it listens, and answers. Fails with its output if it ends instead."""
    for _ in range(_GLANCES):
        if says_it_listens(server.output) and _answers(server):
            return
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(_GLANCE_SECONDS)
            raise AssertionError(server.output)
    raise TimeoutError(server.output)


def says_it_listens(output: str) -> bool:
    """Return whether a server has said that it listens: in its banner or, in production, in its log."""
    return "Listening on" in output or '"server_started"' in output


def _answers(server: Running) -> bool:
    try:
        return server.ask("GET", "/api/healthchecker", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def given_keys() -> dict[str, str]:
    """Return the four JWT_… settings, with keys that are made once: a server that makes no keys starts faster."""
    settings = {}
    for name, key in (("ACCESS", given_key_ring().access.signing), ("REFRESH", given_key_ring().refresh.signing)):
        settings[f"JWT_{name}_TOKEN_PRIVATE_KEY"] = base64.b64encode(key.to_pem()).decode()
        settings[f"JWT_{name}_TOKEN_PUBLIC_KEY"] = base64.b64encode(key.public.to_pem()).decode()
    return settings


def register(browser: httpx.Client, email: str) -> None:
    """Register somebody new."""
    body = {"name": "Ada Lovelace", "email": email, "password": PASSWORD, "passwordConfirm": PASSWORD}
    answer = browser.post("/api/auth/register", json=body)
    assert answer.status_code == 201, answer.text


@contextmanager
def serving_somebody(folder: Path, email: str) -> Iterator[Running]:
    """Yield a server that has an account with this email."""
    with serving(folder, **given_keys()) as running:
        with running.browser() as browser:
            register(browser, email)
        yield running


def sign_in(browser: httpx.Client, email: str) -> None:
    """Sign somebody in; `browser` keeps the cookies."""
    answer = browser.post("/api/auth/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text


def tour(browser: httpx.Client, email: str, link_of_the_letter: Callable[[], str]) -> None:
    """Register, verify, sign in, read `me`, refresh, read again, sign out and be refused, as the contract describes."""
    register(browser, email)
    wait_until(lambda: bool(link_of_the_letter()), "the letter")
    code = link_of_the_letter().rpartition("/")[2]
    assert browser.get(f"/api/auth/verifyemail/{code}").status_code == 200
    assert browser.get(f"/api/auth/verifyemail/{code}").status_code == 403
    sign_in(browser, email)
    assert browser.get("/api/users/me").json()["data"]["user"]["email"] == email
    before = browser.cookies["refresh_token"]
    assert browser.get("/api/auth/refresh").status_code == 200
    assert browser.cookies["refresh_token"] != before
    bearer = {"Authorization": f"Bearer {browser.cookies['access_token']}"}
    assert browser.get("/api/users/me", headers=bearer).status_code == 200
    assert browser.get("/api/auth/logout").json() == {"status": "success"}
    assert browser.get("/api/users/me", headers=bearer).status_code == 401


def link_in(text: str) -> str:
    """Return the first link of a letter in a text; empty if there is none."""
    found = re.search(r"http://localhost:\d+/(verifyemail|resetpassword)/[0-9a-f]{64}\b", text)
    return found.group() if found else ""


def text_of(letter: Message) -> str:
    """Return the plain text part of a letter."""
    part = next(part for part in letter.walk() if part.get_content_type() == "text/plain")
    content: Any = part.get_payload(decode=True)
    return str(content.decode())


def complaint(output: str) -> str:
    """Return the line that a failed start prints; of JSON, its `why`. Fails if there are more, as in a traceback."""
    lines = output.strip().splitlines()
    assert len(lines) == 1, output
    if lines[0].startswith("{"):
        return str(json.loads(lines[0])["why"])
    assert lines[0].startswith("vestibule: "), output
    return lines[0].removeprefix("vestibule: ")
