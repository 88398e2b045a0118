"""What operators do by command: set roles, and disable with a reason; for people and for programs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.process import complaint, given_keys, register, run, serving
from tests.unit.cli.test_users_factors import stored

ADA, EVE = "ada@example.com", "eve@example.com"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("operate")
    with serving(folder, **given_keys()) as server, server.browser() as browser:
        register(browser, ADA)
        yield folder


def said(folder: Path, *arguments: str) -> str:
    done = run(folder, "users", *arguments, **given_keys())
    assert done.returncode == 0, done.stderr
    return done.stderr


def document(folder: Path, *arguments: str) -> Any:
    done = run(folder, "users", *arguments, "--json", **given_keys())
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def refused(folder: Path, *arguments: str) -> str:
    done = run(folder, "users", *arguments, **given_keys())
    assert done.returncode == 1
    return complaint(done.stderr)


def test_an_account_is_given_a_role_once_it_is_verified(folder: Path) -> None:
    assert refused(folder, "set-role", ADA, "helper").startswith(f"{ADA} never verified its email; do that first:")
    assert said(folder, "verify", ADA) == f"{ADA} is verified.\n"
    ended = "; ended sessions: 0."
    assert said(folder, "set-role", ADA, "helper") == f"{ADA} has the role helper, no longer user{ended}\n"
    assert said(folder, "set-role", ADA, "helper") == f"{ADA} has the role helper, as it was.\n"
    back = document(folder, "set-role", ADA, "user")
    assert back == {"email": ADA, "role": "user", "changed": True, "ended_sessions": 0}


def test_an_account_is_disabled_with_a_reason_and_deleted(folder: Path) -> None:
    made = document(folder, "create", EVE, "--admin")
    assert (made["email"], made["role"], len(made["password"])) == (EVE, "admin", 32)
    for act in (("set-role", EVE, "user"), ("disable", EVE), ("delete", EVE, "--yes")):
        assert refused(folder, *act).startswith(f"{EVE} is the last admin; make another one first:")
    bob = document(folder, "create", "bob@example.com")["email"]
    done = document(folder, "disable", bob, "--reason", "  Sent [spam] to “everybody”. ")
    assert done == {"email": bob, "disabled": True, "changed": True, "ended_sessions": 0}
    with stored(folder) as database:
        ((reason,),) = database.execute("SELECT disabled_reason FROM accounts WHERE email = ?", (bob,))
        ((detail,),) = database.execute("SELECT detail FROM events WHERE kind = 'account_disabled'")
    assert reason == "Sent [spam] to “everybody”."
    assert json.loads(detail)["reason"] == reason
    assert document(folder, "enable", bob) == {"email": bob, "disabled": False, "changed": True}
    with stored(folder) as database:
        assert list(database.execute("SELECT disabled_reason FROM accounts WHERE email = ?", (bob,))) == [(None,)]
    assert document(folder, "sign-out", bob) == {"email": bob, "ended_sessions": 0}
    assert document(folder, "delete", bob, "--yes") == {"email": bob, "deleted": True, "ended_sessions": 0}


@pytest.mark.parametrize("reason", ["a\nb", "a\x1b[2Jb", "a\u202eb", "a\u2028b"], ids=ascii)
def test_o97_a_reason_is_one_line(folder: Path, reason: str) -> None:
    done = run(folder, "users", "disable", ADA, "--reason", reason, **given_keys())
    assert done.returncode == 2
    assert "it has a control character, such as a line break" in complaint(done.stderr)
    with stored(folder) as database:
        assert list(database.execute("SELECT disabled_at FROM accounts WHERE email = ?", (ADA,))) == [(None,)]


def test_a_reason_has_a_bound(folder: Path) -> None:
    done = run(folder, "users", "disable", ADA, "--reason", "x" * 501, **given_keys())
    assert done.returncode == 2
    assert "it has 501 characters, and at most 500 are kept" in complaint(done.stderr)
