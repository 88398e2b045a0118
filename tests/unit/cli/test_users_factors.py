"""`vestibule users factors`: what an account signs in with, for people and for programs, and nothing secret."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from tests.harness.process import complaint, given_keys, register, run, serving
from tests.unit.cli.stored_factors import CODES, add_factors

ADA, BOB = "ada@example.com", "bob@example.com"
NAME = "Bob's [red]phone[/]\x1b[2J\nRecovery codes left: 10"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's folder: Ada has only a password, Bob has factors."""
    folder = tmp_path_factory.mktemp("factors")
    with serving(folder, **given_keys()) as server, server.browser() as browser:
        register(browser, ADA)
        register(browser, BOB)
    with stored(folder) as database:
        add_factors(database, BOB, NAME)
    return folder


def stored(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "vestibule-data" / "vestibule.sqlite3", timeout=60)


def shown(folder: Path, email: str, *more: str) -> tuple[str, str]:
    """What the command prints, on both streams."""
    done = run(folder, "users", "factors", email, *more, **given_keys())
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_an_account_without_any_is_a_sentence(folder: Path) -> None:
    assert shown(folder, "Ada@Example.com") == ("", f"{ADA} has no second factor.\n")
    without = {"factors": [], "unreadable": 0, "recovery_codes_left": 0, "reset": None, "paused": []}
    assert json.loads(shown(folder, ADA, "--json")[0]) == without


def test_f30_each_is_a_line_and_a_name_controls_nothing(folder: Path) -> None:
    """F30: the owner chose the name, the operator reads it."""
    lines = shown(folder, BOB)[0].splitlines()
    assert re.split(r"  +", lines[0].strip()) == ["factor", "name", "added (UTC)", "last used (UTC)"]
    assert re.fullmatch(r"authenticator app +(\d{4}-\d\d-\d\d \d\d:\d\d) +\1 *", lines[1])
    assert re.fullmatch(r"passkey  .*\[red\]phone\[/\].* \d\d:\d\d +never *", lines[2])
    assert lines[3:] == [f"Recovery codes left: {CODES}"]
    assert "\x1b" not in "".join(lines)


def test_f30_programs_read_the_same_and_nothing_secret(folder: Path) -> None:
    printed = shown(folder, BOB, "--json")[0]
    read = json.loads(printed)
    assert (read["recovery_codes_left"], read["unreadable"]) == (CODES, 0)
    app, passkey = read["factors"]
    assert app["last_used_at"] == app["added_at"]
    assert passkey | {"added_at": ""} == {"kind": "passkey", "name": NAME, "added_at": "", "last_used_at": None}
    assert [secret for secret in ("sealed", "a hash", "credential", "a-key") if secret in printed] == []


def test_f30_a_malformed_row_is_not_told_as_no_factor(folder: Path) -> None:
    """F30: the sign-in still asks for it."""
    with serving(folder, **given_keys()) as server, server.browser() as browser:
        register(browser, "eve@example.com")
    with stored(folder) as database:
        add_factors(database, "eve@example.com", "a key")
        database.execute(
            "DELETE FROM totps WHERE id LIKE 'an-app-of-%' AND account_id IN (SELECT id FROM accounts "
            "WHERE email = 'eve@example.com')"
        )
        database.execute("UPDATE passkeys SET sign_count = 'many' WHERE name = 'a key'")
    assert "Needed, but cannot be read: 1" in shown(folder, "eve@example.com")[0]


def test_an_email_that_nobody_has_is_one_line(folder: Path) -> None:
    refused = run(folder, "users", "factors", "nobody@example.com", **given_keys())
    assert refused.returncode == 1
    assert complaint(refused.stderr) == "there is no account with the email nobody@example.com"
