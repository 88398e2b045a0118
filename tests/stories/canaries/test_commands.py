"""L17: no command repeats a secret: not one of its settings, not what was typed, not what somebody else says of it."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.harness import mail_server
from tests.harness.http_server import handled_by
from tests.harness.process import given_keys, run
from tests.stories.canaries import MARK, PASSWORD, singing
from tests.unit.cli.conftest import nowhere
from tests.unit.client.beating import hello
from vestibule.cli import session
from vestibule.settings import reading
from vestibule.settings.fields import Settings, name_of
from vestibule.settings.reading import WrongSettings
from vestibule.wiring import commands

__all__ = ["nowhere"]
Typed = Callable[..., tuple[object, str]]

NOBODY = "127.0.0.1:1"
ELSEWHERE = f"postgresql://somebody:{MARK}@{NOBODY}/x"
SECRETS = {
    **given_keys(),
    "DATABASE_URL": ELSEWHERE,
    "REDIS_URL": f"redis://:{MARK}@{NOBODY}/0",
    "EMAIL_HOST": "127.0.0.1",
    "EMAIL_PORT": "1",
    "EMAIL_USER": "somebody",
    "EMAIL_PASS": MARK,
    "VESTIBULE_SECRET_KEY": MARK * 5,
    "VESTIBULE_PEPPER": MARK * 5,
}
COMMANDS = [
    ["serve"],
    ["migrate"],
    ["copy-database", "--from", ELSEWHERE],
    ["doctor"],
    ["doctor", "--json"],
    ["doctor", "--url", f"http://somebody:{MARK}@{NOBODY}/?key={MARK}#{MARK}"],
    ["events"],
    ["events", "--of", "ada@example.com", "--json"],
    ["keys", "rotate", "--now"],
    ["keys", "reencrypt"],
    ["services", "create", "orders"],
    ["services", "list"],
    ["users", "create", "ada@example.com", "--name", "Ada"],
    ["users", "sign-out", "ada@example.com"],
    ["users", "disable", "ada@example.com"],
    ["users", "enable", "ada@example.com"],
    ["users", "unlock", "ada@example.com"],
    ["users", "delete", "ada@example.com", "--yes"],
    ["users", "import", "--from", ELSEWHERE],
    ["mail", "list"],
    ["mail", "retry"],
    ["mail", "test", "ada@example.com"],
]
TYPED_TOO_MUCH = [
    ["login", "ada@example.com", PASSWORD],
    ["login", "ada@example.com", f"--password={MARK}"],
    ["login", "ada@example.com", "--password", MARK],
    ["login", "ada@example.com", f"-p{MARK}"],
    ["token", MARK],
    ["users", "create", "ada@example.com", MARK],
    ["users", "create", "ada@example.com", f"--password={MARK}"],
    ["users", "disable", "ada@example.com", MARK],
    ["services", "create", "orders", MARK],
    ["mail", "test", "ada@example.com", MARK],
    ["keys", "reencrypt", MARK],
    ["migrate", ELSEWHERE],
    ["serve", MARK],
]


@pytest.fixture
def typed(nowhere: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Typed:
    """Types a command, and the password as the line that is read: its status, and all that it said."""

    def type_in(*arguments: str, **given: str) -> tuple[object, str]:
        status: object = 0
        with nowhere.context() as around:
            for name, value in {"HOME": str(tmp_path), **given}.items():
                around.setenv(name, value)
            around.setattr("sys.argv", ["vestibule", *arguments])
            around.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
            try:
                (session if arguments[0] in {"login", "token"} else commands).main()
            except SystemExit as end:
                status = end.code
        return status, "".join(capsys.readouterr())

    return type_in


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_l17_no_command_that_fails_repeats_a_setting(command: list[str], tmp_path: Path) -> None:
    done = run(tmp_path, *command, **SECRETS)
    assert done.returncode != 0, done.stdout
    assert not singing(done.stdout + done.stderr)


@pytest.mark.parametrize("command", TYPED_TOO_MUCH, ids=lambda command: " ".join(command).replace(MARK, "…"))
def test_l17_what_was_typed_and_is_no_argument_is_not_repeated(command: list[str], typed: Typed) -> None:
    status, said = typed(*command, **given_keys())
    assert status == 2
    assert said
    assert not singing(said)


WRONG = [
    MARK,
    f"{MARK}!",
    f"{MARK} {MARK}",
    f"x://{MARK}",
    f"postgresql://u:{MARK}@h:port/x",
    f"postgresql://u:{MARK}@[/x",
    f"postgresql://u:{MARK}/5@h/x",
    f"redis://u:{MARK}/5@h:1/x",
    f"redis://:{MARK}#1@h:1/0",
    f"redis+sentinel://:{MARK}@/0",
    f"mysql://u:{MARK}@h/x",
    base64.b64encode(MARK.encode()).decode(),
    f"-----BEGIN PRIVATE KEY-----\n{MARK}",
]
SECRET_SETTINGS = [name_of(field) for field in Settings.model_fields.values() if "Secret" in str(field.annotation)]


@pytest.mark.parametrize("name", SECRET_SETTINGS)
def test_l17_no_wrong_setting_is_repeated(name: str, typed: Typed, nowhere: pytest.MonkeyPatch) -> None:
    """L17, L5: whatever is in a secret one's place; in the environment, and in a file in which it is a line too."""
    for value in WRONG:
        Path(".env").write_text(f'{name}="{value}\n{value}\n{name} {value}\n')
        with pytest.raises(WrongSettings) as wrong:
            reading.read()
        assert not singing(str(wrong.value)), value
        Path(".env").unlink()
        with nowhere.context() as around:
            around.setenv(name, value)
            try:
                said = repr(reading.read())
            except WrongSettings as fault:
                said = str(fault)
        assert not singing(said), value
        if name.endswith("_URL"):  # which is taken apart later
            assert not singing(typed("services", "list", **given_keys(), **{name: value})[1]), value


LETTERS = {
    "EHLO": f"550 {MARK}",
    "RCPT": f"550 no: {MARK}",
    "DATA": f"250 taken, {MARK}",
}


@pytest.mark.parametrize(
    ("at", "command"), [("EHLO", "doctor"), ("RCPT", "mail test a@example.com"), ("DATA", "mail test a@example.com")]
)
def test_l17_what_a_mail_server_repeats_of_our_password_is_not(at: str, command: str, tmp_path: Path) -> None:
    server = mail_server.MailServer({at: LETTERS[at]})
    with mail_server.running(server) as port:
        given = {**given_keys(), "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port), "EMAIL_PASS": MARK}
        done = run(tmp_path, *command.split(), **given, VESTIBULE_EMAIL_SECURITY="none", EMAIL_USER="")
    assert done.stdout + done.stderr
    assert not singing(done.stdout + done.stderr)


def _token(payload: bytes) -> str:
    return f"e30.{base64.urlsafe_b64encode(payload).decode()}.{MARK}"


def _cookies(access: str) -> list[tuple[str, str]]:
    return [("Set-Cookie", f"access_token={access}; Path=/"), ("Set-Cookie", f"refresh_token={MARK}; Path=/")]


ANSWERS: dict[str, tuple[int, list[tuple[str, str]], str]] = {
    "the password in a refusal": (400, [], json.dumps({"code": "x", "message": f"{PASSWORD} is wrong"})),
    "the password in a code": (400, [], json.dumps({"code": PASSWORD, "message": "no"})),
    "no JSON": (400, [], PASSWORD),
    "another shape": (400, [], json.dumps([PASSWORD])),
    "a failure": (500, [], PASSWORD),
    "no cookies": (200, [], PASSWORD),
    "a token that is none": (200, _cookies(MARK), "{}"),
    "a token without an end": (200, _cookies(_token(b"{}")), "{}"),
    "a token with another end": (200, _cookies(_token(json.dumps({"exp": MARK}).encode())), "{}"),
    "a token that is no JSON": (200, _cookies(_token(MARK.encode())), "{}"),
    "a good token, and no user": (200, _cookies(_token(b'{"exp":9999999999}')), json.dumps({"data": MARK})),
}


HELLO = "(hello)"


@contextmanager
def answering(answer: tuple[int, list[tuple[str, str]], str]) -> Iterator[str]:
    """The URL of a server that always says this, with a greeting in the place of `HELLO`."""
    status, headers, body = answer

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def do_GET(self) -> None:
            content = body.encode().replace(HELLO.encode(), hello(self.path))
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", str(len(content)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    with handled_by(Handler) as url:
        yield url


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_l17_signing_in_on_the_command_line_repeats_neither_password_nor_token(
    answer: tuple[int, list[tuple[str, str]], str], typed: Typed
) -> None:
    with answering(answer) as url:
        status, said = typed("login", "ada@example.com", "--url", url)
    assert status == 1
    assert said.startswith("vestibule: ")
    assert "Traceback" not in said
    assert not singing(said)


@pytest.mark.parametrize(
    "url",
    [
        f"somebody:{MARK}@auth.example.com",
        f"https://somebody:{MARK}@auth.example.com",
        f"ftp://somebody:{MARK}@auth.example.com",
        f"http://auth.example.com?key={MARK}",
        f"auth.example.com#{MARK}",
        f"https://auth.example.com:{MARK}@",
        f"https://[{MARK}@/",
    ],
)
def test_l17_nor_what_is_in_the_address_of_a_server(url: str, typed: Typed) -> None:
    for arguments, given in ((("--url", url), {}), ((), {"VESTIBULE_URL": url})):
        status, said = typed("login", "ada@example.com", *arguments, **given)
        assert status == 2
        assert not singing(said)
