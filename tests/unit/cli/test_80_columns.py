"""A terminal of 80 columns is enough for whatever a command shows, and an event, an email or a key is one line."""

import os
import pty
import re
import sqlite3
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.harness.process import PASSWORD, PROGRAM, Running, environment, register, serving
from tests.harness.servers import free_port, wait_until
from tests.unit.cli.every import NEEDED
from tests.unit.cli.stored_factors import add_factors
from vestibule import __main__

WIDTH = 80
IPV6 = "2001:db8:85a3:1234:5678:9abc:def0:1234"
EMAIL = f"{'ada.' * 15}ada@{'engine.' * 22}example.com"
BOB = "bob@example.com"
NAME = "艾达·洛夫莱斯 👩‍💻 " * 4
SERVICE = "billing-" * 7 + "service8"
HEADINGS = {
    ("events",): "when (UTC)",
    ("mail", "list"): "id",
    ("keys", "list"): "use",
    ("services", "list"): "service",
    ("users", "factors", BOB): "factor",
    ("users", "list"): "email",
}
IN_FULL = [
    *[("events", "--long"), ("mail", "list", "--long"), ("keys", "list", "--long")],
    *[("users", "show", EMAIL), ("users", "show", BOB)],
]
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def seen(folder: Path, *arguments: str, typed: str = "", **settings: str) -> list[str]:
    """The lines that a terminal of 80 columns shows after a command, which asks for nothing but what is typed."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, WIDTH))
    given = {**environment(folder, settings), "TERM": "xterm-256color"}
    command = [*PROGRAM, *arguments]
    with subprocess.Popen(command, cwd=folder, env=given, stdin=subprocess.PIPE, stdout=its, stderr=its) as process:
        os.close(its)
        assert process.stdin
        process.stdin.write(typed.encode())
        process.stdin.close()
        written = _all_of(ours)
    return _COLOURS.sub("", written).splitlines()


def _all_of(terminal: int) -> str:
    written = b""
    try:
        while part := os.read(terminal, 65_536):
            written += part
    except OSError:  # so a terminal ends
        pass
    finally:
        os.close(terminal)
    return written.decode()


def too_wide(lines: list[str]) -> list[str]:
    """The lines that the terminal would break."""
    return [line for line in lines if cell_len(line) > WIDTH]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with a long email, a wide name, an IPv6 address, an email that cannot leave, and a long service name."""
    folder = tmp_path_factory.mktemp("eighty")
    settings = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(free_port())}
    with serving(folder, **settings) as running, running.browser() as browser:
        person = {"name": NAME, "email": EMAIL, "password": PASSWORD, "passwordConfirm": PASSWORD}
        assert browser.post("/api/auth/register", json=person).status_code == 201
        assert browser.post("/api/auth/login", json=person).status_code == 200
        assert browser.post("/api/auth/forgotpassword", json={"email": EMAIL}).status_code == 200
        assert browser.post("/api/auth/logout").status_code == 200
        register(browser, BOB)
        with sqlite3.connect(folder / "vestibule-data" / "vestibule.sqlite3", timeout=60) as database:
            database.execute("DROP TRIGGER events_not_changed")
            database.execute("UPDATE events SET network_address = ?", (IPV6,))
            add_factors(database, BOB, NAME)
        wait_until(lambda: "mail_delayed" in running.output or "letter" in running.output, "an attempt")
        assert seen(folder, "services", "create", SERVICE)
        yield running


@pytest.mark.parametrize("command", [*HEADINGS, *IN_FULL, ("doctor",)], ids=" ".join)
def test_what_is_listed_fits(server: Running, command: tuple[str, ...]) -> None:
    lines = seen(server.folder, *command)
    assert len(lines) > 2
    assert too_wide(lines) == []


def test_an_event_is_one_line_and_long_has_the_rest(server: Running) -> None:
    lines = seen(server.folder, "events")
    kinds = [line.split()[2] for line in lines[1:]]
    assert {"registered", "signed_in", "password_reset_requested", "session_ended"} <= set(kinds)
    assert all(re.match(r"\d{4}-\d\d-\d\d ", line) for line in lines[1:])
    in_full = " ".join(" ".join(seen(server.folder, "events", "--long")).split())
    assert IPV6 in in_full
    assert "reason signed_out" in in_full


def test_what_has_to_be_typed_again_is_never_shortened(server: Running) -> None:
    kids = re.findall(r"[\w-]{43}", " ".join(seen(server.folder, "keys", "list")))
    assert len(kids) == 4
    assert SERVICE in "".join(line[:-17].strip() for line in seen(server.folder, "services", "list"))
    assert EMAIL in "".join(line.strip() for line in seen(server.folder, "mail", "list", "--long"))


def test_who_is_signed_in_fits_and_is_whole(server: Running) -> None:
    seen(server.folder, "login", EMAIL, "--url", server.base, typed=f"{PASSWORD}\n")
    lines = seen(server.folder, "whoami", "--url", server.base)
    assert EMAIL in "".join(line.removeprefix("email").strip() for line in lines)
    assert too_wide(lines) == []


@pytest.mark.parametrize("command", ["", *sorted({name.split()[0] for name in NEEDED}), *NEEDED])
def test_help_fits_and_shows_no_types(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setattr("sys.argv", ["vestibule", *command.split(), "--help"])
    with pytest.raises(SystemExit):
        __main__.main()
    said = capsys.readouterr().out
    assert "Usage: vestibule" in said
    assert too_wide(said.splitlines()) == []
    assert re.findall(r"<(?:bool|str|int|float|list)[^>]*>|\{\w+\}|\[\[", said) == []
