"""`vestibule users reset-factors`: asks first, tells what happens and when, and refuses with a sentence."""

import json
import re
from pathlib import Path

import pytest

from tests.harness.process import complaint, given_keys, register, run, serving
from tests.unit.cli.stored_factors import add_factors
from tests.unit.cli.test_users_factors import stored

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
COMMAND = ("users", "reset-factors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A server's folder: Bob has factors and a verified email, Eve factors alone, Ada neither."""
    with serving(tmp_path, **given_keys()) as server, server.browser() as browser:
        for email in (ADA, BOB, EVE):
            register(browser, email)
    with stored(tmp_path) as database:
        add_factors(database, BOB, "a key")
        add_factors(database, EVE, "a key")
        database.execute("UPDATE accounts SET verified = 1 WHERE email = ?", (BOB,))
    return tmp_path


def under_way(folder: Path) -> int:
    with stored(folder) as database:
        return int(database.execute("SELECT count(*) FROM factor_resets").fetchone()[0])


def test_f39_it_asks_first_and_says_when(folder: Path) -> None:
    denied = run(folder, *COMMAND, BOB, typed="n\n", **given_keys())
    assert (denied.returncode, under_way(folder)) == (1, 0)
    done = run(folder, *COMMAND, "Bob@Example.com", typed="y\n", **given_keys())
    assert done.returncode == 0, done.stderr
    assert "Remove all second factors of Bob@Example.com in 24 hours? [y/N]:" in done.stderr
    assert re.search(rf"{BOB} is told by email.*removed after \d{{4}}-\d\d-\d\d \d\d:\d\d UTC\.", done.stderr)
    assert under_way(folder) == 1
    shown = run(folder, "users", "factors", BOB, **given_keys()).stdout
    assert re.search(r"A reset by an operator is under way, all factors are removed after .* UTC", shown)


def test_f39_programs_read_it(folder: Path) -> None:
    begun = json.loads(run(folder, *COMMAND, BOB, "--yes", "--json", **given_keys()).stdout)
    assert (begun["email"], begun["reset"]["asked_by"]) == (BOB, "operator")
    assert json.loads(run(folder, "users", "factors", BOB, "--json", **given_keys()).stdout)["reset"] == begun["reset"]
    canceled = run(folder, *COMMAND, BOB, "--cancel", "--json", **given_keys()).stdout
    assert json.loads(canceled) == {"email": BOB, "reset": None}
    assert under_way(folder) == 0


def test_f39_each_refusal_is_a_sentence(folder: Path) -> None:
    refusals = {
        (ADA,): f"{ADA} has no second factor",
        (EVE,): f"{EVE} has never verified its email: Forgot password? on the sign-in page removes its factors",
        (BOB, "--cancel"): f"no reset of the second factors of {BOB} is under way",
        ("nobody@example.com",): "there is no account with the email nobody@example.com",
    }
    for arguments, sentence in refusals.items():
        refused = run(folder, *COMMAND, *arguments, "--yes", **given_keys())
        assert (refused.returncode, complaint(refused.stderr)) == (1, sentence)
    assert run(folder, *COMMAND, BOB, "--yes", **given_keys()).returncode == 0
    again = run(folder, *COMMAND, BOB, "--yes", **given_keys())
    assert "has a reset under way already" in complaint(again.stderr)
    assert run(folder, *COMMAND, BOB, "--cancel", **given_keys()).returncode == 0
    with stored(folder) as database:
        database.execute("UPDATE accounts SET disabled_at = created_at WHERE email = ?", (BOB,))
    disabled = run(folder, *COMMAND, BOB, "--yes", **given_keys())
    assert "is disabled, so its owner cannot be told: enable it first" in complaint(disabled.stderr)


def test_f60_at_once_it_asks_first_and_says_what_is_gone(folder: Path) -> None:
    denied = run(folder, *COMMAND, BOB, "--now", typed="n\n", **given_keys())
    assert (denied.returncode, passkeys_of(folder, BOB)) == (1, 1)
    done = run(folder, *COMMAND, BOB, "--now", typed="y\n", **given_keys())
    assert done.returncode == 0, done.stderr
    assert f"Remove all second factors of {BOB} now? [y/N]:" in done.stderr
    assert f"{BOB} has no second factor any more, and is signed out everywhere." in done.stderr
    assert (passkeys_of(folder, BOB), under_way(folder)) == (0, 0)
    printed = run(folder, *COMMAND, EVE, "--now", "--yes", "--json", **given_keys()).stdout
    assert json.loads(printed) == {"email": EVE, "removed": True}
    again = run(folder, *COMMAND, EVE, "--now", "--yes", **given_keys())
    assert (again.returncode, complaint(again.stderr)) == (1, f"{EVE} has no second factor")
    both = run(folder, *COMMAND, BOB, "--now", "--cancel", **given_keys())
    assert complaint(both.stderr) == "--cancel and --now exclude each other"


def passkeys_of(folder: Path, email: str) -> int:
    query = "SELECT count(*) FROM passkeys JOIN accounts ON accounts.id = account_id WHERE email = ?"
    with stored(folder) as database:
        return int(database.execute(query, (email,)).fetchone()[0])
