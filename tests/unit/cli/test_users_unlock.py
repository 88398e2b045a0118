"""`vestibule users unlock`: the pauses after too many wrong passwords or codes, as an operator sees and ends them."""

import json
from pathlib import Path

import pytest

from tests.harness.process import complaint, given_keys, register, run, serving
from tests.unit.cli.stored_factors import add_factors
from tests.unit.cli.test_users_factors import shown, stored

ADA, BOB = "ada@example.com", "bob@example.com"
PAUSED = {"of": "code", "since": "2026-01-01T00:00:00+00:00", "until": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unlock")
    with serving(folder, **given_keys()) as server, server.browser() as browser:
        register(browser, ADA)
        register(browser, BOB)
    with stored(folder) as database:
        add_factors(database, BOB, "a key")
    return folder


def pause(folder: Path, email: str, failures: int) -> None:
    """Let wrong codes be counted."""
    with stored(folder) as database:
        (account_id,) = database.execute("SELECT id FROM accounts WHERE email = ?", (email,)).fetchone()
        database.execute(
            "INSERT INTO login_attempts (counter, account_id, failures, in_all, last_at) VALUES (?, ?, ?, ?, ?)",
            (f"second:others:{account_id}", account_id, failures, failures, "2026-01-01 00:00:00.000000"),
        )


def unlock(folder: Path, email: str, *more: str) -> tuple[str, str]:
    done = run(folder, "users", "unlock", email, *more, **given_keys())
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_f36_a_pause_is_shown_and_ended(folder: Path) -> None:
    """F36: once for people, once for programs."""
    pause(folder, BOB, 50)
    assert (
        "Paused: codes on devices that are not known since 2026-01-01 00:00 UTC, until it is unlocked"
        in shown(folder, BOB)[0]
    )
    assert json.loads(shown(folder, BOB, "--json")[0])["paused"] == [PAUSED]
    pause_ended = "codes on devices that are not known since 2026-01-01 00:00 UTC, until it is unlocked"
    said = f"{BOB} is unlocked; ended pauses: {pause_ended}.\n"
    assert unlock(folder, BOB) == ("", said)
    assert json.loads(shown(folder, BOB, "--json")[0])["paused"] == []


def test_f36_programs_read_what_was_ended(folder: Path) -> None:
    pause(folder, ADA, 3)
    read = json.loads(unlock(folder, ADA, "--json")[0])
    assert read == {"email": ADA, "unlocked": True, "paused": []}
    assert json.loads(unlock(folder, ADA, "--json")[0]) == {"email": ADA, "unlocked": False, "paused": []}
    assert unlock(folder, ADA) == (
        "",
        f"{ADA} is as it was: no wrong password or code was counted, and no email is held back.\n",
    )


def test_an_email_that_nobody_has_is_one_line(folder: Path) -> None:
    refused = run(folder, "users", "unlock", "nobody@example.com", **given_keys())
    assert refused.returncode == 1
    assert complaint(refused.stderr) == "there is no account with the email nobody@example.com"
