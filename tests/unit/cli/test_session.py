"""`vestibule login`, `whoami`, `token` and `logout` against a running server."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness.process import (
    PASSWORD,
    PRODUCTION,
    Running,
    complaint,
    given_keys,
    register,
    run,
    serving,
    serving_somebody,
)
from tests.harness.servers import WAIT_SECONDS
from vestibule import __main__ as program
from vestibule.cli import commands
from vestibule.cli.session import _where_else, session_commands
from vestibule.client import InFile, NotReachedError, Session
from vestibule.client.session_sender import NOT_REACHED
from vestibule.process import missing

EMAIL = "ada@example.com"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving_somebody(tmp_path_factory.mktemp("vestibule"), EMAIL) as running:
        yield running


def vestibule(
    home: Path, *arguments: str, typed: str = "", folder: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    return run(folder or home, *arguments, typed=typed, HOME=str(home))


def test_a_person_signs_in_is_known_and_signs_out(server: Running, tmp_path: Path) -> None:
    at = ("--url", server.base)
    done = vestibule(tmp_path, "login", EMAIL, *at, typed=f"{PASSWORD}\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"Signed in as {EMAIL}.\n")
    kept = list(tmp_path.rglob("sessions/*.json"))
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600]

    shown = vestibule(tmp_path, "whoami", *at)
    assert EMAIL in shown.stdout
    assert json.loads(vestibule(tmp_path, "whoami", "--json", *at).stdout)["email"] == EMAIL

    token = vestibule(tmp_path, "token", *at).stdout.strip()
    bearer = {"Authorization": f"Bearer {token}"}
    assert server.ask("GET", "/api/users/me", headers=bearer).status_code == 200

    assert vestibule(tmp_path, "logout", *at).returncode == 0
    assert server.ask("GET", "/api/users/me", headers=bearer).status_code == 401
    assert not list(tmp_path.rglob("sessions/*.json"))
    again = vestibule(tmp_path, "whoami", *at)
    assert again.returncode == 1
    assert complaint(again.stderr) == "Nobody is signed in; sign in with: vestibule login"


def test_s4_a_server_whose_cookies_have_the_prefix_is_no_other_to_it(tmp_path: Path) -> None:
    with serving(tmp_path, **given_keys(), **PRODUCTION, VESTIBULE_COOKIE_PREFIX="__Host-") as server:
        url = f"http://localhost:{server.port}"
        with httpx.Client(base_url=url, headers={"Origin": PRODUCTION["ORIGIN"]}, timeout=WAIT_SECONDS) as browser:
            register(browser, EMAIL)
        assert vestibule(tmp_path, "login", EMAIL, "--url", url, typed=f"{PASSWORD}\n").returncode == 0
        shown = vestibule(tmp_path, "whoami", "--json", "--url", url)
        assert (json.loads(shown.stdout)["email"], json.loads(shown.stdout)["email_verified"]) == (EMAIL, False)
        session = Session(url, InFile(next(tmp_path.rglob("sessions/*.json"))))
        before = session.fresh()
        assert session.fresh(before.access).refresh != before.refresh
        session.close()


def test_both_may_be_typed(server: Running, tmp_path: Path) -> None:
    done = vestibule(tmp_path, "login", "--url", server.base, typed=f"{EMAIL}\n{PASSWORD}\n")
    assert done.returncode == 0, done.stderr


def test_a_wrong_password_is_told_and_nothing_is_kept(server: Running, tmp_path: Path) -> None:
    done = vestibule(tmp_path, "login", EMAIL, "--url", server.base, typed="wrong horse\n")
    assert done.returncode == 1
    assert complaint(done.stderr) == "Invalid email or password"
    assert not list(tmp_path.rglob("sessions/*.json"))


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("http://auth.example.com", 2, "would send secrets in the open"),
        ("auth.example.com", 2, "is not an address such as https://auth.example.com"),
        ("http://127.0.0.1:1", 1, "could not be reached"),
    ],
)
def test_a_server_that_cannot_be_asked_is_told_in_one_line(tmp_path: Path, url: str, status: int, words: str) -> None:
    done = vestibule(tmp_path, "login", EMAIL, "--url", url, typed=f"{PASSWORD}\n")
    assert done.returncode == status
    assert words in complaint(done.stderr)


def test_where_nobody_listens_the_address_and_what_to_do_are_told(tmp_path: Path) -> None:
    here = complaint(vestibule(tmp_path, "login", EMAIL, "--url", "http://127.0.0.1:1", typed=f"{PASSWORD}\n").stderr)
    assert "http://127.0.0.1:1 could not be reached" in here
    assert "start Vestibule there (vestibule serve), or name another server: --url" in here
    by_setting = run(tmp_path, "login", EMAIL, HOME=str(tmp_path), PORT="1", typed=f"{PASSWORD}\n").stderr
    assert "http://localhost:1 could not be reached" in by_setting
    away = _where_else("https://auth.example.com", NotReachedError(f"https://auth.example.com {NOT_REACHED}: x"))
    assert away.startswith("; name another server: --url")
    assert _where_else("http://127.0.0.1:1", NotReachedError("it answered 500")) == ""


def test_the_words_for_a_person_are_no_words_for_a_program(tmp_path: Path) -> None:
    for arguments, settings, named in (
        (("--url", "http://10.1.2.3:8000"), {}, "--url"),
        ((), {"VESTIBULE_URL": "http://10.1.2.3:8000"}, "VESTIBULE_URL"),
    ):
        for name in program.SESSION_COMMANDS:
            done = run(tmp_path, name, *arguments, HOME=str(tmp_path), **settings)
            assert done.returncode == 2
            said = complaint(done.stderr)
            assert said.startswith(f"{named}: 'http://10.1.2.3:8000' would send secrets in the open: use https")
            assert "plain_http" not in said
    with pytest.raises(ValueError, match="say plain_http=True"):
        Session("http://10.1.2.3:8000")


@pytest.mark.parametrize("path", ["/api", "/api/", "/login", "//"])
def test_an_address_with_a_path_says_to_leave_it_out(server: Running, path: str, tmp_path: Path) -> None:
    for command in (("login", EMAIL), ("whoami",), ("token",), ("logout",), ("doctor",)):
        done = vestibule(tmp_path, *command, "--url", f"{server.base}{path}", typed=f"{PASSWORD}\n")
        if path == "//":
            assert "without a path" not in done.stderr
        else:
            assert done.returncode == 2
            assert f"give it without a path: {server.base}" in complaint(done.stderr)


def test_c12_where_the_password_goes_is_said_before_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("VESTIBULE_URL=http://127.0.0.1:1\n")
    said = vestibule(tmp_path, "login", EMAIL, typed=f"{PASSWORD}\n").stderr.splitlines()
    assert said[0] == f"Signing in at http://127.0.0.1:1, which VESTIBULE_URL in {tmp_path / '.env'} names."


def test_c12_a_home_that_cannot_keep_a_session_is_one_line(server: Running, tmp_path: Path) -> None:
    (tmp_path / "no-folder").touch()
    for name in ("login", "whoami", "logout"):
        done = vestibule(tmp_path / "no-folder", name, "--url", server.base, folder=tmp_path)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr


UNREADABLE = {"folder": Path.mkdir, "pipe": os.mkfifo, "loop": lambda path: path.symlink_to(path)}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_c37_what_is_in_the_place_of_a_session_is_named_with_its_path(
    kind: str, server: Running, tmp_path: Path
) -> None:
    """C37: by every command, and with what to do."""
    at = ("--url", server.base)
    assert vestibule(tmp_path, "login", EMAIL, *at, typed=f"{PASSWORD}\n").returncode == 0
    (kept,) = tmp_path.rglob("sessions/*.json")
    kept.unlink()
    UNREADABLE[kind](kept)
    for name in ("whoami", "token", "logout"):
        done = vestibule(tmp_path, name, *at)
        assert done.returncode == 1
        said = complaint(done.stderr)
        if kind == "pipe":  # which is no session, and can be taken away
            assert str(kept) in said or said.startswith("Nobody is signed in")
        else:
            assert str(kept) in said
            assert "move away what is in its way" in said


def test_c37_who_is_not_signed_in_is_not_told_to_be_signed_out(server: Running, tmp_path: Path) -> None:
    """C37: nor where what is kept is no session, which may go on at the server."""
    at = ("--url", server.base)
    never = vestibule(tmp_path, "logout", *at)
    assert (never.returncode, never.stderr) == (0, f"Nobody is signed in at {server.base}.\n")
    assert vestibule(tmp_path, "login", EMAIL, *at, typed=f"{PASSWORD}\n").returncode == 0
    (kept,) = tmp_path.rglob("sessions/*.json")
    assert vestibule(tmp_path, "logout", *at).stderr == "Signed out.\n"
    assert vestibule(tmp_path, "logout", *at).stderr == never.stderr
    for junk in (b"", b"junk", b"\xff", b'{"access": 1}'):
        kept.write_bytes(junk)
        done = vestibule(tmp_path, "logout", *at)
        assert done.returncode == 1
        assert str(kept) in complaint(done.stderr)
        assert f"end it at {server.base}/profile/security" in done.stderr
        assert vestibule(tmp_path, "logout", *at).stderr == never.stderr


def test_c37_an_access_token_that_has_ended_keeps_no_session_alive(server: Running, tmp_path: Path) -> None:
    """C37: it ends nothing by itself, while the refresh token beside it goes on for weeks."""
    at = ("--url", server.base)
    assert vestibule(tmp_path, "login", EMAIL, *at, typed=f"{PASSWORD}\n").returncode == 0
    (path,) = tmp_path.rglob("sessions/*.json")
    tokens = json.loads(path.read_text())
    path.write_text(json.dumps({**tokens, "access": f"{tokens['access']}x", "expires_at": 0}))
    assert vestibule(tmp_path, "logout", *at).stderr == "Signed out.\n"
    assert not path.exists()
    bearer = {"Authorization": f"Bearer {tokens['access']}"}
    assert server.ask("GET", "/api/users/me", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\0", b"\xff", b"[]", b"[" * 50_000, b'{"access": 1, "refresh": 2, "expires_at": "x"}'),
        b" " * 100_000 + b'{"access": "a", "refresh": "b", "expires_at": 1}',
    ],
    ids=len,
)
def test_c12_what_somebody_else_put_in_its_place_is_no_session(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_bytes(content)
    assert InFile(path).load() is None
    assert InFile(Path("/dev/zero")).load() is None


@pytest.mark.parametrize("command", [*program.SESSION_COMMANDS, "serve"])
def test_a_persons_commands_load_no_server(command: str) -> None:
    asked = f"import sys; sys.argv = ['vestibule', {command!r}, '--help']; from vestibule.__main__ import main"
    loaded = "import atexit; atexit.register(lambda: print('sqlalchemy' in sys.modules, file=sys.stderr))"
    done = subprocess.run(
        [sys.executable, "-c", f"{asked}; {loaded}; main()"], check=False, capture_output=True, text=True, timeout=60
    )
    assert f"vestibule {command}" in done.stdout
    assert done.stderr.strip() == str(command == "serve")


def test_every_command_of_a_person_is_known_to_be_one() -> None:
    assert set(program.SESSION_COMMANDS) == {
        command.name or command.callback.__name__
        for command in session_commands.registered_commands
        if command.callback
    }
    listed = [line for line in commands.build().registered_commands if line.rich_help_panel == "Your own session"]
    assert [line.name for line in listed] == [*program.SESSION_COMMANDS]


def test_what_stands_before_a_persons_command_is_named_as_what_is_wrong(tmp_path: Path) -> None:
    done = run(tmp_path, "--", "whoami", "--json")
    assert (done.returncode, complaint(done.stderr)) == (2, "nothing may stand before whoami; type: vestibule whoami")


def test_c12_a_module_that_is_missing_is_named_and_the_kit_blamed_only_where_it_is_alone() -> None:
    broken = missing.sentence(ModuleNotFoundError("no", name="asyncpg"))
    assert "the module asyncpg is missing" in broken
    assert "kit" not in broken
    broken_program = "import sys; sys.modules['typer'] = None; from vestibule.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", broken_program], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert complaint(done.stderr).startswith("the module typer is missing, so this installation is incomplete")


def test_c21_where_no_session_can_be_kept_no_password_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "no-folder").touch()
    done = vestibule(tmp_path / "no-folder", "login", "--url", "http://127.0.0.1:1", folder=tmp_path)
    assert done.returncode == 1
    assert complaint(done.stderr) == (
        f"{tmp_path}/no-folder/.config/vestibule/sessions: no session can be stored there: Not a directory; "
        "make room for it, or set HOME to a folder of yours"
    )


@pytest.mark.parametrize(
    ("arguments", "typed", "missing"),
    [((EMAIL,), "", "password"), ((EMAIL,), "\n", "password"), ((), "", "email"), ((), f"{EMAIL}\n", "password")],
)
def test_c21_a_login_without_input_says_what_is_missing(
    arguments: tuple[str, ...], typed: str, missing: str, tmp_path: Path
) -> None:
    done = vestibule(tmp_path, "login", *arguments, "--url", "http://127.0.0.1:1", typed=typed)
    assert (done.returncode, complaint(done.stderr)) == (
        2,
        f"no {missing} given: type one, or give it as a line on the standard input",
    )


def test_c21_https_where_only_http_is_spoken_is_a_sentence(server: Running, tmp_path: Path) -> None:
    url = server.base.replace("http://", "https://")
    done = vestibule(tmp_path, "login", EMAIL, "--url", url, typed=f"{PASSWORD}\n")
    assert done.returncode == 1
    assert "does not speak TLS on this port; check the url" in complaint(done.stderr)


def test_authorities_that_cannot_be_read_are_not_blamed_on_the_url(tmp_path: Path) -> None:
    missing = str(tmp_path / "ca.pem")
    done = run(tmp_path, "whoami", "--url", "https://127.0.0.1:1", HOME=str(tmp_path), SSL_CERT_FILE=missing)
    said = f"SSL_CERT_FILE: {missing} holds no certificates that can be read"
    assert (done.returncode, complaint(done.stderr)) == (2, said)
