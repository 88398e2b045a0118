"""C13: nothing that others said commands a terminal or looks like a line of ours: rows of the database, a server at
--url, a mail server, and what was typed.
"""

import json
import sqlite3
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from rich.table import Table
from rich.text import Text

from tests.harness import backends
from tests.harness.process import given_keys, run
from tests.running.browser.awkward import AWKWARD
from vestibule.cli import console
from vestibule.mail.smtp import Server, said_by
from vestibule.model.findings import fault
from vestibule.model.letters import Letter, LetterKind
from vestibule.protocol.one_line import one_line

FORGED = "vestibule: Signed in as root"
HOSTILE = f"\x1b]0;pwned\x07\x9b2J\u202e[/b]\x7f\n{FORGED}\r\u2028\x1b[2J"
ID = "an-id"  # others are looked up in no database
NOW, LATER = "2026-01-01 00:00:00.000000", "2096-01-01 00:00:00.000000"
ROWS = {
    "accounts": {"id": HOSTILE, "name": HOSTILE, "email": HOSTILE, "role": "user", "verified": 0, "photo": HOSTILE},
    "events": {"kind": "signed_in", "account_id": HOSTILE, "session_id": HOSTILE, "network_address": HOSTILE},
    "letters": {"id": HOSTILE, "kind": "verify_email", "account_id": HOSTILE, "last_fault": HOSTILE, "attempts": 1},
    "sessions": {"id": HOSTILE, "account_id": HOSTILE, "user_agent": HOSTILE, "network_address": HOSTILE},
    "passkeys": {"id": HOSTILE, "account_id": HOSTILE, "domain": HOSTILE, "credential_id": HOSTILE, "name": HOSTILE},
    "service_keys": {"name": HOSTILE, "digest": HOSTILE},
    "signing_keys": {"kid": HOSTILE, "use": "access", "state": "next", "alg": HOSTILE, "sealed_private": HOSTILE},
}
MORE = {
    "accounts": {"password_hash": "", "created_at": NOW, "updated_at": NOW, "provider": HOSTILE, "epoch": 0},
    "events": {"at": NOW, "detail": json.dumps({HOSTILE: HOSTILE})},
    "letters": {"created_at": NOW, "due_at": LATER, "email": HOSTILE, "detail": json.dumps({HOSTILE: HOSTILE})},
    "sessions": {
        **dict.fromkeys(("created_at", "last_seen_at", "issued_at", "authenticated_at"), NOW),
        **dict.fromkeys(("idle_expires_at", "expires_at"), LATER),
        "current": 1,
        "parent": 0,
        "base": 0,
    },
    "passkeys": {
        "public_key": "a key",
        "sign_count": 0,
        "aaguid": HOSTILE,
        "transports": HOSTILE,
        "user_verified": 1,
        "backup_eligible": 1,
        "backed_up": 1,
        "created_at": NOW,
    },
    "service_keys": {"created_at": NOW},
    "signing_keys": {"created_at": NOW, "state_since": NOW},
}


def harmless(said: str) -> bool:
    lines = said.split("\n")
    return all(line.isprintable() for line in lines) and not any(line.startswith(FORGED) for line in lines)


def with_hostile(folder: Path, *tables: str, account_id: str = HOSTILE) -> None:
    backends.embedded(folder / "vestibule-data")
    with sqlite3.connect(folder / "vestibule-data" / "vestibule.sqlite3") as database:
        for table in tables:
            row = {**ROWS[table], **MORE[table]}
            row |= {name: account_id for name in ("id" if table == "accounts" else "account_id",) if name in row}
            insert(database, table, row)


def insert(database: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    named, marks = ", ".join(row), ", ".join("?" * len(row))
    database.execute(f"INSERT INTO {table} ({named}) VALUES ({marks})", list(row.values()))


@pytest.mark.parametrize(
    ("tables", "command"),
    [
        (("accounts", "events"), ("events",)),
        (("accounts", "events"), ("events", "--json")),
        (("accounts", "letters"), ("mail", "list")),
        (("accounts", "events", "letters", "sessions", "passkeys"), ("users", "show", ID)),
        (("accounts", "events", "letters", "sessions", "passkeys"), ("users", "show", ID, "--json")),
        (("accounts",), ("users", "list")),
        (("accounts",), ("users", "list", "--json")),
        (("service_keys",), ("services", "list")),
        (("signing_keys",), ("keys", "list")),
    ],
)
def test_c13_rows_of_the_database(tables: tuple[str, ...], command: tuple[str, ...], tmp_path: Path) -> None:
    with_hostile(tmp_path, *tables, account_id=ID if ID in command else HOSTILE)
    keys = {"VESTIBULE_SECRET_KEY": "n" * 43} if "signing_keys" in tables else given_keys()
    done = run(tmp_path, *command, **keys)
    assert (done.returncode, "pwned" in done.stdout) == (0, True), done.stderr
    assert harmless(done.stdout), done.stdout
    assert harmless(done.stderr), done.stderr


def test_o87_two_hundred_awkward_texts_command_no_terminal(tmp_path: Path) -> None:
    """O87: in every table, on every screen that lists it."""
    backends.embedded(tmp_path / "vestibule-data")
    with sqlite3.connect(tmp_path / "vestibule-data" / "vestibule.sqlite3") as database:
        for table in ("accounts", "events", "letters", "service_keys"):
            for number, text in enumerate(AWKWARD):
                row = {**ROWS[table], **MORE[table]}
                row = {name: f"{number}{text}" if value == HOSTILE else value for name, value in row.items()}
                row |= {"detail": json.dumps({"reason": text})} if table == "events" else {}
                insert(database, table, row)
    for command in ("events -n 200", "events --long -n 200", "mail list --limit 200", "mail list --long --limit 200"):
        assert_harmless(run(tmp_path, *command.split(), **given_keys()))
    for command in ("users list --limit 200", "services list"):
        assert_harmless(run(tmp_path, *command.split(), **given_keys()))


def assert_harmless(done: CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= len(AWKWARD), done.stdout
    assert harmless(done.stdout), [line for line in done.stdout.split("\n") if not line.isprintable()][:3]


def test_c13_what_a_mail_server_says_is_one_line() -> None:
    said = said_by(Server("mail.example.com", 25, "none"), HOSTILE)
    assert "pwned" in said
    assert harmless(said)
    assert "\n" not in said


LINK = "https://auth.example.com/resetpassword/s3cret"


@pytest.mark.parametrize(
    ("kind", "link", "code", "quoted"),
    [
        (LetterKind.SIGN_IN_CODE, "", "AB12-CD34", "AB12-CD34"),
        (LetterKind.SIGN_IN_CODE, "", "AB12-CD34", "AB12CD34"),
        (LetterKind.RESET_PASSWORD, LINK, "", LINK),
        (LetterKind.RESET_PASSWORD, LINK, "", "s3cret"),
    ],
)
def test_c13_what_a_mail_server_repeats_has_no_secret_of_the_letter(
    kind: LetterKind, link: str, code: str, quoted: str
) -> None:
    """C13: neither its code nor its link: the words go to the log, and to operators."""
    letter = Letter("1", kind, "ada@example.com", "Ada", link, code=code)
    assert said_by(Server("mail.example.com", 25, "none"), f"554 spam: “{quoted}”", letter) == "554 spam: “…”"


def test_c13_whatever_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    screen = console.Terminal(file=StringIO(), soft_wrap=True, width=500)
    table = Table.grid()
    table.add_row(console.escape(HOSTILE), Text(one_line(HOSTILE)))
    as_it_is = Text(HOSTILE.replace("\n", " "))  # line breaks of a text are those of its layout
    for thing in (console.escape(HOSTILE), table, as_it_is, f"[bold]{console.escape(HOSTILE)}[/]"):
        screen.print(thing)
    assert isinstance(screen.file, StringIO)
    said = screen.file.getvalue()
    assert said.count("pwned") == 5
    assert harmless(said)
    console.print_json({HOSTILE: [HOSTILE, "é"]})
    document = capsys.readouterr().out
    assert harmless(document)
    assert json.loads(document) == {HOSTILE: [HOSTILE, "é"]}
    finding = fault("outside", HOSTILE, HOSTILE, HOSTILE)
    assert all(map(str.isprintable, (finding.what, finding.why, finding.remedy)))
