"""`vestibule users list`: find somebody by email, name or id, for people and for programs."""

import json
from pathlib import Path

import pytest

from tests.harness.process import given_keys, run
from tests.unit.cli.test_users_factors import stored

NAMES = {"ada@example.com": "Ada Lovelace", "bob@example.com": "Bob", "grace@example.com": "Adele"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("list")
    for email, name in NAMES.items():
        assert run(folder, "users", "create", email, "--name", name, **given_keys()).returncode == 0
    assert run(folder, "users", "disable", "bob@example.com", **given_keys()).returncode == 0
    with stored(folder) as database:
        database.execute("UPDATE accounts SET verified = 0 WHERE email = 'grace@example.com'")
    return folder


def listed(folder: Path, *wanted: str) -> tuple[list[str], str]:
    done = run(folder, "users", "list", *wanted, **given_keys())
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def test_o40_an_operator_finds_people(folder: Path) -> None:
    """O40: each on a line that says whether they can sign in at all."""
    lines, notes = listed(folder)
    assert [line.split()[0] for line in lines] == ["email", *sorted(NAMES)]
    assert ["disabled" in line for line in lines[1:]] == [False, True, False]
    assert ["not verified" in line for line in lines[1:]] == [False, False, True]
    assert notes == ""
    found, _ = listed(folder, "--search", "AD")
    assert [line.split()[0] for line in found[1:]] == ["ada@example.com", "grace@example.com"]


def test_o40_programs_read_a_line_for_each(folder: Path) -> None:
    (line,), _ = listed(folder, "--search", "bob", "--json")
    bob = json.loads(line)
    assert (bob["email"], bob["name"], bob["role"], bob["verified"]) == ("bob@example.com", "Bob", "user", True)
    assert bob["disabled_at"] is not None
    assert "password" not in line
    (by_id,), _ = listed(folder, "--search", bob["id"], "--json")
    assert by_id == line


def test_o40_more_than_are_shown_are_told_of(folder: Path) -> None:
    lines, notes = listed(folder, "--limit", "2")
    assert len(lines) == 3
    assert notes == "There are more: type more of the email or name, or raise --limit.\n"
    assert listed(folder, "--limit", "2", "--json")[1] == notes
    everybody = len(listed(folder)[0]) - 1  # without the line of the headings
    assert listed(folder, "--limit", str(everybody))[1] == ""
    lines, notes = listed(folder, "--search", "no\x1b[31mbody")
    assert (lines, notes) == ([], "No email and no name begins with no\ufffd[31mbody, and it is no account's id.\n")
