"""`vestibule serve` on one file: the first start, the second, the end, and what production does otherwise."""

import json
import re
import shutil
import signal
import socket
import stat
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import httpx
import pytest

from tests.harness.mail_server import HOST, MailServer, running
from tests.harness.process import (
    PRODUCTION,
    Running,
    complaint,
    given_keys,
    link_in,
    register,
    run,
    says_it_listens,
    serving,
    sign_in,
    starting,
    text_of,
    tour,
)
from tests.harness.servers import WAIT_SECONDS, free_port, wait_until


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An empty folder, an empty environment, one command."""
    folder = tmp_path_factory.mktemp(
        "a-folder-whose-name-alone-is-longer-than-a-line-of-the-welcome-which-must-not-cut-it"
    )
    with serving(folder) as server:
        yield server


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """In production, beside a Redis that is not there, which costs a line in the log and nothing else."""
    settings = {
        **PRODUCTION,
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}",
        **given_keys(),
    }
    with serving(tmp_path_factory.mktemp("production"), **settings) as server:
        yield server


def test_the_first_start_says_what_it_is(first_start: Running) -> None:
    said = first_start.words
    assert f"http://localhost:{first_start.port}" in said
    assert str(first_start.folder / "vestibule-data") in said
    assert "development" in said
    assert "emails are shown in this log" in said
    assert "Allowed origins http://localhost:3000" in said
    for row, path in (("Pages", "login"), ("Example emails", "letters"), ("API", "docs")):
        assert f"{row} {first_start.base.replace('127.0.0.1', 'localhost')}/{path}" in said
        assert first_start.ask("GET", f"/{path}").status_code == 200


def test_the_tour_with_the_link_from_the_log(first_start: Running) -> None:
    with first_start.browser() as browser:
        tour(browser, "ada@example.com", lambda: link_in(first_start.output))
    assert link_in(first_start.output).startswith(f"http://localhost:{first_start.port}/"), "led to another port"


def test_the_tour_with_the_link_from_the_mail_folder(first_start: Running) -> None:
    def link() -> str:
        return next(
            (link_in(text_of(letter)) for letter in first_start.letters if letter["To"] == "grace@example.com"), ""
        )

    with first_start.browser() as browser:
        tour(browser, "grace@example.com", link)
    wait_until(lambda: link() in first_start.output, "the letter in the log")
    mail = first_start.folder / "vestibule-data" / "mail"
    assert stat.S_IMODE(mail.stat().st_mode) == 0o700
    assert {stat.S_IMODE(letter.stat().st_mode) for letter in mail.iterdir()} == {0o600}


@pytest.mark.parametrize(("path", "mode"), [(".", 0o700), ("secret.key", 0o600)])
def test_what_it_keeps_is_its_owners_alone(first_start: Running, path: str, mode: int) -> None:
    """T12: what it keeps is its owners alone."""
    assert stat.S_IMODE((first_start.folder / "vestibule-data" / path).stat().st_mode) == mode


def test_no_private_key_lies_open_in_the_data_folder(first_start: Running) -> None:
    """L5: no private key lies open in the data folder."""
    files = [path for path in (first_start.folder / "vestibule-data").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"PRIVATE KEY" in path.read_bytes()]


def test_of_port_0_it_takes_one_that_is_free_and_says_which(tmp_path: Path) -> None:
    """Each its own, and the letters name it as well."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    on_any = {**given_keys(), "PORT": "0"}
    with (
        starting(tmp_path / "a", "--port", "0", **given_keys()) as a,
        starting(tmp_path / "b", "--port", "0", **on_any) as b,
    ):
        ports = [_told_port(server) for server in (a, b)]
        assert len({*ports, 0}) == 3
        for server, port in zip((a, b), ports, strict=True):
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_SECONDS) as browser:
                register(browser, "ada@example.com")
            wait_until(lambda server=server: bool(link_in(server.output)), "the letter")
            assert link_in(server.output).startswith(f"http://localhost:{port}/")


def _told_port(server: Running) -> int:
    found = re.compile(r"Listening on +http://localhost:(\d+)")
    wait_until(lambda: bool(found.search(server.output)), "the banner")
    return int(found.findall(server.output)[0])


def test_a_port_that_another_program_has_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        refused = run(tmp_path, "serve", PORT=str(other.getsockname()[1]), **given_keys())
    assert refused.returncode == 2
    assert complaint(refused.stderr).startswith("PORT: ")
    assert refused.stdout == ""


def test_c3_every_place_that_cannot_be_had_is_told_in_one_run(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", 0)) as another:
        taken, also = (each.getsockname()[1] for each in (other, another))
        refused = run(tmp_path, "serve", PORT=str(taken), VESTIBULE_METRICS=str(also), **given_keys())
    assert refused.returncode == 2
    assert [line.split(": ")[1] for line in refused.stderr.splitlines()] == ["PORT", "VESTIBULE_METRICS"]


def test_a_port_that_another_vestibule_has_is_one_line(first_start: Running, tmp_path: Path) -> None:
    with starting(tmp_path, port=first_start.port, **given_keys()) as second:
        wait_until(lambda: second.process.poll() is not None or says_it_listens(second.output), "the second start")
        assert complaint(second.output).startswith("PORT: ")
        assert second.process.wait(WAIT_SECONDS) == 2


def test_the_second_start_has_the_keys_and_the_accounts_of_the_first(tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.browser() as browser:
        register(browser, "ada@example.com")
        sign_in(browser, "ada@example.com")
        keys, cookies = browser.get("/.well-known/jwks.json").json(), dict(browser.cookies)
        assert server.stop(signal.SIGTERM) == 0
    with serving(tmp_path) as server, server.browser() as browser:
        assert browser.get("/.well-known/jwks.json").json()["keys"][0] == keys["keys"][0]
        assert browser.get("/api/users/me", headers=_cookie(cookies)).status_code == 200
        sign_in(browser, "ada@example.com")
        assert server.stop(signal.SIGINT) == 0
    shown = run(tmp_path, "keys", "list").stdout
    assert keys["keys"][0]["kid"] in shown
    assert shown.count("current") == 2


def test_data_without_its_secret_key_is_one_line(first_start: Running, tmp_path: Path) -> None:
    shutil.copytree(first_start.folder / "vestibule-data", tmp_path / "vestibule-data")
    (tmp_path / "vestibule-data" / "secret.key").unlink()
    refused = run(tmp_path, "serve")
    assert refused.returncode == 2
    assert complaint(refused.stderr).startswith("VESTIBULE_SECRET_KEY: ")


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc"])
def test_production_has_no_interactive_documentation(production: Running, path: str) -> None:
    """H12: production has no interactive documentation."""
    assert production.ask("GET", path).status_code == 404


def test_production_cookies_are_secure_and_its_log_is_json_without_links(production: Running) -> None:
    as_ever = [(event, "info") for event in ("password_hashing", "registered", "server_started", "signed_in")]
    with production.browser() as browser:
        register(browser, "ada@example.com")
        wait_until(lambda: bool(production.letters), "the letter")
        answer = browser.post("/api/auth/login", json={"email": "ada@example.com", "password": "correct horse"})
    assert answer.status_code == 200
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 4  # the contract's three, and the one by which the browser is known again
    assert all("; Secure" in cookie for cookie in cookies)
    link = link_in(text_of(production.letters[0]))
    assert link
    assert link.rpartition("/")[2] not in production.output
    # Lines are written by a thread of their own, so some come after the answer.
    wait_until(lambda: all(f'"{event}"' in production.output for event, _ in as_ever), "all that is logged")
    logged = [json.loads(line) for line in production.output.splitlines()]
    # How often it tries to listen to a Redis that is not there depends on how long all this takes.
    events = [(line["event"], line["level"]) for line in logged if line["event"] != "wake_ups_interrupted"]
    without = [(event, "warning") for event in ("emails_may_not_arrive", "limits_count_alone", "redis_unavailable")]
    assert sorted(set(events)) == sorted([*without, *as_ever])


def test_the_tour_with_a_mail_server(tmp_path: Path) -> None:
    mail = MailServer()
    with running(mail) as port:
        settings = {"EMAIL_HOST": HOST, "EMAIL_PORT": str(port), **given_keys()}
        with serving(tmp_path, **settings) as server, server.browser() as browser:
            tour(browser, "ada@example.com", lambda: link_in(_mailed(mail)))
            assert server.letters == []
            assert "emails are shown in this log" not in server.words
            assert link_in(server.output) == ""
    assert [command for command in mail.commands if command.startswith("RCPT")] == ["RCPT ada@example.com"]


def _mailed(mail: MailServer) -> str:
    return "".join(text_of(message_from_bytes(content)) for content in mail.contents)


def _cookie(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
