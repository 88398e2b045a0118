"""What somebody has who knows the guide alone: each of its files, run by its command, behind a real Vestibule."""

import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.guide import PORT, Project, projects, section, step_up_project
from tests.harness.process import UNLIMITED, Running, environment, given_keys, register, run, serving, sign_in
from tests.harness.rounds import WHOLE
from tests.harness.servers import free_port, listening, wait_until

EMAIL, ADMIN = "ada@example.com", "root@example.com"
ANSWER_SECONDS, SIGN_OUT_SECONDS = 60, 60
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody speaks it here, and authorities take CPU to load
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
UPGRADE |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
_AT_ONCE = 4
PROJECTS = projects()
ROWS = {name: (project, project.command) for name, project in PROJECTS.items()}
AT_NIGHT = {"Starlette", "Django REST framework", "Any ASGI application"}
"""Left to the longer runs: their servers, and all that they share with the others, are tried there anyway."""
ROWS["Flask, preloaded"] = (PROJECTS["Flask"], PROJECTS["Flask"].command.replace("gunicorn ", "gunicorn --preload "))


@dataclass(frozen=True)
class Known:
    """A Vestibule, its key for services, and tokens of a user and of an admin."""

    server: Running
    key: str
    user: str
    admin: str


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """One for all rows."""
    folder, settings = tmp_path_factory.mktemp("vestibule"), given_keys() | UNLIMITED
    with serving(folder, **settings) as server, server.browser() as browser, server.browser() as another:
        register(browser, EMAIL)
        sign_in(browser, EMAIL)
        password = run(folder, "users", "create", ADMIN, "--admin", **settings).stdout.strip()
        assert another.post("/api/auth/login", json={"email": ADMIN, "password": password}).status_code == 200
        key = run(folder, "services", "create", "tests", **settings).stdout.strip()
        yield Known(server, key, browser.cookies["access_token"], another.cookies["access_token"])


@dataclass(frozen=True)
class Service:
    """A project of the guide that listens."""

    client: httpx.Client
    log: Path

    def ask(self, path: str, token: str = "") -> tuple[int, dict[str, Any]]:
        """Return status and body. A worker that has just started may not know enough yet: ask again."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answers: list[httpx.Response] = []

        def is_decided() -> bool:
            with suppress(httpx.TransportError):
                answers.append(self.client.get(path, headers=headers))
            return bool(answers) and answers[-1].status_code != 503

        wait_until(is_decided, f"a decision about {path}", ANSWER_SECONDS)
        return answers[-1].status_code, answers[-1].json()

    def first_word(self, path: str, token: str) -> tuple[int, str]:
        """Open a websocket (RFC 6455); return the status, and the first message, of at most 125 bytes."""
        at = self.client.base_url
        with closing(HTTPConnection(at.host, at.port or 0, timeout=ANSWER_SECONDS)) as connection:
            connection.request("GET", path, headers=UPGRADE | {"Authorization": f"Bearer {token}"})
            answer = HTTPResponse(connection.sock, method="GET")
            answer.begin()
            if answer.status != 101:
                return answer.status, ""
            _, length = answer.fp.read(2)
            return answer.status, answer.fp.read(length).decode()

    def refuses(self, token: str) -> bool:
        """Return whether several requests, one after the other, are answered 401."""
        return all(self.ask("/me", token)[0] == 401 for _ in range(_AT_ONCE))


@contextmanager
def started(project: Project, command: str, folder: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The project in a folder of its own, run in a shell as its reader does; dead afterwards. It writes to `log`."""
    project.save(folder)
    around = environment(folder, settings)
    around |= {"VIRTUAL_ENV": sys.prefix, "PATH": f"{sys.prefix}/bin:{around['PATH']}"}
    around.pop("PYTHONPATH", None)
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-ec", command],
            cwd=folder,
            env=around,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    except BaseException as fault:
        fault.add_note((folder / "log").read_text(errors="replace"))
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running(project: Project, command: str, folder: Path, known: Known) -> Iterator[Service]:
    """The same, once it listens."""
    port, settings = free_port(), {"VESTIBULE_URL": known.server.base, "SERVICE_KEY": known.key}
    with started(project, command.replace(PORT, str(port)), folder, **settings) as process:
        wait_until(lambda: listening(port) or process.poll() is not None, command)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=ANSWER_SECONDS, verify=NO_TLS) as client:
            yield Service(client, folder / "log")


@pytest.mark.parametrize("name", [name for name in ROWS if WHOLE or name not in AT_NIGHT])
def test_a_file_of_the_guide_protects_a_service(name: str, known: Known, tmp_path: Path) -> None:
    with running(*ROWS[name], tmp_path, known) as service, known.server.browser() as browser:
        status, told = service.ask("/me", known.user)
        assert (status, told["email_verified"], told["role"]) == (200, False, "user")
        status, told = service.ask("/me", known.admin)
        assert (status, told["email_verified"], told["role"]) == (200, True, "admin")
        assert service.ask("/reports", known.admin)[0] == 200
        if '"/live"' in "".join(ROWS[name][0].files.values()):
            welcome = (101, told["id"])
            wait_until(lambda: service.first_word("/live", known.admin) == welcome, "a websocket", ANSWER_SECONDS)
            assert service.first_word("/live", "a.b.c") == (403, "")
        for path, token, refusal in (
            ("/reports", known.user, (403, "not_allowed")),
            ("/me", "", (401, "not_signed_in")),
            ("/reports", "", (401, "not_signed_in")),
            ("/me", "a.b.c", (401, "access_token_invalid")),
        ):
            status, told = service.ask(path, token)
            assert (status, told["code"]) == refusal, path
        sign_in(browser, EMAIL)
        leaving = browser.cookies["access_token"]
        assert service.ask("/me", leaving)[0] == 200
        browser.post("/api/auth/logout")
        wait_until(lambda: service.refuses(leaving), "401 after the sign-out", SIGN_OUT_SECONDS)
        assert service.ask("/me", known.user)[0] == 200
        assert "Traceback" not in service.log.read_text()


def test_the_file_of_the_guide_asks_for_a_second_factor(known: Known, tmp_path: Path) -> None:
    project = step_up_project()
    with running(project, project.command, tmp_path, known) as service:
        assert service.ask("/openapi.json")[0] == 200
        answers: list[httpx.Response] = []

        def is_decided() -> bool:
            answers.append(service.client.post("/transfers", headers={"Authorization": f"Bearer {known.user}"}))
            return answers[-1].status_code != 503

        wait_until(is_decided, "a decision about a transfer", ANSWER_SECONDS)
        told = answers[-1].json()
        assert (answers[-1].status_code, told["code"]) == (401, "insufficient_user_authentication")
        assert told["acr_values"] == "urn:vestibule:2"
        assert service.client.post("/transfers").json()["code"] == "not_signed_in"


def test_the_email_of_a_caller_comes_from_vestibule(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", section("What a caller is, and a refusal"), re.DOTALL)
    monkeypatch.setenv("VESTIBULE_URL", known.server.base)
    made: dict[str, Any] = {}
    exec(lines, made)
    assert made["email_of"](f"Bearer {known.admin}") == ADMIN
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        made["email_of"]("Bearer a.b.c")


def starting_by_hand() -> Project:
    """The project for Flask, with the line that the guide names for it."""
    flask, line, end = PROJECTS["Flask"], 'app.extensions["vestibule"].start()', "    return app\n"
    assert f"`{line}`" in section("Deployment, by server")
    return Project({path: text.replace(end, f"    {line}\n{end}") for path, text in flask.files.items()}, flask.command)


@pytest.mark.parametrize("name", ["Flask", "FastAPI"] if WHOLE else ["Flask"])
def test_a_wrong_key_stops_the_start_where_the_guide_says_so(name: str, known: Known, tmp_path: Path) -> None:
    project = starting_by_hand() if name == "Flask" else PROJECTS[name]
    command = project.command.replace(PORT, str(free_port()))
    settings = {"VESTIBULE_URL": known.server.base, "SERVICE_KEY": "vsk_wrong"}
    with started(project, command, tmp_path, **settings) as process:
        assert process.wait(ANSWER_SECONDS) != 0
        assert "does not know the service key" in (tmp_path / "log").read_text()
