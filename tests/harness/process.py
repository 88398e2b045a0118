"""Vestibule as a process of its own: started, waited for, read, toured and stopped as an operator would."""

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
"""Settings for a load that all comes from one address, which a server in use would take for an attack."""
PRODUCTION = {"NODE_ENV": "production", "VESTIBULE_URL": "http://localhost:8000", "ORIGIN": FRONT_END}
"""Settings of a server that is used, reached on this machine alone."""
# Nobody speaks TLS here; to read the certificates of the world takes 30 ms of CPU for each client.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_STOP_SECONDS = 60
_RUN_SECONDS = 300
_GLANCE_SECONDS = 0.1
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
        """Everything it has said so far, on both streams."""
        return self.log.read_text()

    @property
    def words(self) -> str:
        """The same without frames and line breaks."""
        return re.sub(r"[\s│╭╮╰╯─]+", " ", self.output)

    @property
    def letters(self) -> list[Message]:
        """The letters in its mail folder, oldest first."""
        paths = sorted((self.folder / "vestibule-data" / "mail").glob("*.eml"))
        return [message_from_bytes(path.read_bytes()) for path in paths]

    def browser(self) -> httpx.Client:
        """A browser of its own, at the front-end's page."""
        return httpx.Client(base_url=self.base, headers={"Origin": FRONT_END}, timeout=WAIT_SECONDS, verify=_NO_TLS)

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """An answer to one request of somebody who is no browser. The patience is not httpx's own, of five seconds."""
        with httpx.Client(base_url=self.base, timeout=WAIT_SECONDS, verify=_NO_TLS) as client:
            return client.request(method, path, **sent)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(_STOP_SECONDS)


def interruptible() -> None:
    """Heed SIGINT again, in a child before its program begins: a shell has what it runs in the background ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    """What a process finds around it: where programs and home are, the run that it ends with, and the settings."""
    tests_run.folder()
    given = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "TMPDIR") if name in os.environ}
    return {**given, "HOME": str(folder), **settings}


def run(
    folder: Path, *arguments: str, typed: str = "", program: Sequence[str] = PROGRAM, **settings: str
) -> subprocess.CompletedProcess[str]:
    """A command, run to its end, with what is typed as its input; a server that should have been refused, until it
    serves. Where keys are given, there is a database.
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
    """Returns when it has ended, or says that it listens, after which it would not end."""
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
    """A process in a session of its own: forked from the zygote where that is the same, for it is a hundred times
    quicker.
    """
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
    """`vestibule serve` on a free port, perhaps not answering yet; dead afterwards, whatever happened. What it says
    goes to a file, or else to the descriptor `output`. Where keys are given, a database is too; a first start makes
    both.
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
    """`vestibule serve`, answering."""
    with starting(folder, *arguments, program=program, **settings) as server:
        wait_until_it_answers(server)
        yield server


def wait_until_it_answers(server: Running) -> None:
    """Returns when it has said so and answers; fails with the process's own words if it ends instead."""
    for _ in range(_GLANCES):
        if says_it_listens(server.output) and _answers(server):
            return
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(_GLANCE_SECONDS)
            raise AssertionError(server.output)
    raise TimeoutError(server.output)


def says_it_listens(output: str) -> bool:
    """Whether a server has said so: in its banner, or in production in a line of its log."""
    return "Listening on" in output or '"server_started"' in output


def _answers(server: Running) -> bool:
    try:
        return server.ask("GET", "/api/healthchecker", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def given_keys() -> dict[str, str]:
    """The four JWT_… settings, with keys made once: a start that has to make none is quicker."""
    settings = {}
    for name, key in (("ACCESS", given_key_ring().access.signing), ("REFRESH", given_key_ring().refresh.signing)):
        settings[f"JWT_{name}_TOKEN_PRIVATE_KEY"] = base64.b64encode(key.to_pem()).decode()
        settings[f"JWT_{name}_TOKEN_PUBLIC_KEY"] = base64.b64encode(key.public.to_pem()).decode()
    return settings


def register(browser: httpx.Client, email: str) -> None:
    """Somebody new."""
    body = {"name": "Ada Lovelace", "email": email, "password": PASSWORD, "passwordConfirm": PASSWORD}
    answer = browser.post("/api/auth/register", json=body)
    assert answer.status_code == 201, answer.text


@contextmanager
def serving_somebody(folder: Path, email: str) -> Iterator[Running]:
    """A server with keys of its own, at which there is an account."""
    with serving(folder, **given_keys()) as running:
        with running.browser() as browser:
            register(browser, email)
        yield running


def sign_in(browser: httpx.Client, email: str) -> None:
    """Somebody known; the browser keeps the cookies."""
    answer = browser.post("/api/auth/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text


def tour(browser: httpx.Client, email: str, link_of_the_letter: Callable[[], str]) -> None:
    """Register, verify, sign in, look, refresh, look, sign out, be refused: the contract's day, in order."""
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
    """The first mailed link in a text; empty if there is none."""
    found = re.search(r"http://localhost:\d+/(verifyemail|resetpassword)/[0-9a-f]{64}\b", text)
    return found.group() if found else ""


def text_of(letter: Message) -> str:
    """The plain text part of a letter."""
    part = next(part for part in letter.walk() if part.get_content_type() == "text/plain")
    content: Any = part.get_payload(decode=True)
    return str(content.decode())


def complaint(output: str) -> str:
    """The one line that a failed start ends with, in production JSON; fails on a second line, and so on a traceback."""
    lines = output.strip().splitlines()
    assert len(lines) == 1, output
    if lines[0].startswith("{"):
        return str(json.loads(lines[0])["why"])
    assert lines[0].startswith("vestibule: "), output
    return lines[0].removeprefix("vestibule: ")
