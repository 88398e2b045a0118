"""`vestibule roles`, and `users set-roles`: for people and for programs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.process import complaint, given_keys, register, run, serving

ADA = "ada@example.com"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("roles")
    with serving(folder, **given_keys()) as server, server.browser() as browser:
        register(browser, ADA)
        yield folder


def said(folder: Path, *arguments: str) -> str:
    done = run(folder, *arguments, **given_keys())
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def document(folder: Path, *arguments: str) -> Any:
    done = run(folder, *arguments, "--json", **given_keys())
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def refused(folder: Path, status: int, *arguments: str) -> str:
    done = run(folder, *arguments, **given_keys())
    assert done.returncode == status
    return complaint(done.stderr)


def test_a_role_is_made_given_changed_and_deleted(folder: Path) -> None:
    assert said(folder, "roles", "list").startswith("No role was made here yet. Make one with:")
    made = said(folder, "roles", "create", "billing", "invoices:write", "invoices:read")
    assert made == "The role billing permits invoices:read, invoices:write.\n"
    assert refused(folder, 1, "users", "set-roles", ADA, "billing").startswith(f"{ADA} never verified its email")
    said(folder, "users", "verify", ADA)
    assert refused(folder, 1, "users", "set-roles", ADA, "editor") == (
        "there is no role editor; make it first: vestibule roles create editor PERMISSION…"
    )
    given = said(folder, "users", "set-roles", ADA, "billing")
    assert given == f"{ADA} has the roles billing; ended sessions: 0.\n"
    assert "roles    billing" in said(folder, "users", "show", ADA)
    again = document(folder, "users", "set-roles", ADA, "billing")
    assert again == {"email": ADA, "roles": ["billing"], "changed": False, "ended_sessions": 0}
    kept = refused(folder, 1, "roles", "delete", "billing")
    assert kept == "accounts have the role billing; to take it from all of them first, add --take-from-all"
    changed = document(folder, "roles", "set", "billing", "invoices:read")
    assert changed == {"name": "billing", "permissions": ["invoices:read"], "changed": True}
    listed = document(folder, "roles", "list")
    assert (listed["name"], listed["permissions"], listed["accounts"]) == ("billing", ["invoices:read"], 1)
    assert said(folder, "roles", "list").splitlines()[1].split() == ["billing", "1", "invoices:read"]
    gone = document(folder, "roles", "delete", "billing", "--take-from-all")
    assert gone == {"name": "billing", "deleted": True, "taken_from": 1}
    none = said(folder, "users", "set-roles", ADA)
    assert none == f"{ADA} has no role beside its built-in one, as it was.\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("roles", "create", "admin"), "admin is a built-in role"),
        (("roles", "create", "Billing"), "a role has 1 to 32 characters of a-z, 0-9, _ and -"),
        (("roles", "create", "billing", "write"), "a permission is what and how, such as invoices:write"),
        (("roles", "set", "billing", "people:read"), "people: is Vestibule's own"),
        (("roles", "create", "billing", "people:merge"), "choose a name such as shop-people:"),
        (("users", "set-roles", ADA, "admin"), "admin is a built-in role; give it with vestibule users set-role"),
        (("users", "set-roles", ADA, *"abcdefghi"), "an account can have 8, not 9"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(folder: Path, arguments: tuple[str, ...], why: str) -> None:
    assert why in refused(folder, 2, *arguments)


def test_a_role_that_is_not_there(folder: Path) -> None:
    for act in ("set", "delete"):
        assert refused(folder, 1, "roles", act, "nobody") == "there is no role nobody; see vestibule roles list"
