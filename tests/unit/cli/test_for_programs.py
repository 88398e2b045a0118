"""Every command that operators have prints JSON for programs: one document, or a line for each of a list."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.harness.process import register, run, serving

ADA = "ada@example.com"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation whose server is stopped, so that emails wait."""
    folder = tmp_path_factory.mktemp("for-programs")
    with serving(folder) as server, server.browser() as browser:
        register(browser, ADA)
    return folder


def lines(folder: Path, *arguments: str) -> list[Any]:
    done = run(folder, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def document(folder: Path, *arguments: str, status: int = 0) -> Any:
    done = run(folder, *arguments, "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def test_emails(folder: Path) -> None:
    assert document(folder, "users", "send-reset", ADA)["outcome"] == "queued"
    (letter,) = [each for each in lines(folder, "mail", "list") if each["kind"] == "reset_password"]
    assert (letter["email"], letter["attempts"], letter["refused_at"], letter["fault"]) == (ADA, 0, None, None)
    assert document(folder, "mail", "retry", letter["id"]) == {"retried": 0}
    sent = document(folder, "mail", "test", ADA)
    assert (sent["email"], Path(sent["answer"]).parent) == (ADA, Path(sent["by"]))


def test_signing_keys(folder: Path) -> None:
    listed = lines(folder, "keys", "list")
    current = {key["use"]: key["kid"] for key in listed if key["state"] == "current"}
    assert set(current) == {"access", "refresh"}
    assert all(key["checks_until"] is None for key in listed)
    assert "PRIVATE" not in str(listed)
    signing = document(folder, "keys", "rotate", "--now")["signing"]
    assert {key["use"]: key["kid"] for key in lines(folder, "keys", "list") if key["state"] == "current"} == signing
    retired = {key["kid"]: key["checks_until"] for key in lines(folder, "keys", "list") if key["state"] == "retired"}
    assert set(retired) == set(current.values())
    assert all(retired.values())
    gone = current["access"]
    assert document(folder, "keys", "withdraw", "--now", gone) == {"kid": gone, "state": "gone"}
    assert document(folder, "keys", "reencrypt")["authenticator_apps"] == 0


def test_services(folder: Path) -> None:
    made = document(folder, "services", "create", "billing")
    assert (made["service"], len(made["key"]) > 40) == ("billing", True)
    (listed,) = lines(folder, "services", "list")
    assert (listed["service"], made["key"] in str(listed)) == ("billing", False)
    assert document(folder, "services", "revoke", "billing") == {"service": "billing", "revoked": True}
    assert lines(folder, "services", "list") == []


def test_an_import(folder: Path) -> None:
    file = folder / "people.csv"
    file.write_text("id,name,email,verified,provider\n7,Bob,bob@example.com,true,google\n8,Nobody,nobody,true,google\n")
    report = document(folder, "users", "import", str(file), status=1)
    assert (report["dry_run"], report["by_kind"], report["left_out"]) == (False, {"no password": 1}, 1)
    assert [each["email"] for each in lines(folder, "users", "list", "--search", "bob")] == ["bob@example.com"]


def test_the_export_of_a_person(folder: Path) -> None:
    done = run(folder, "users", "export", ADA)
    assert done.returncode == 0, done.stderr
    file = json.loads(done.stdout)
    assert (file["account"]["email"], "password_hash" in file["account"]) == (ADA, False)
    assert file["events"][0]["kind"] == "data_exported"
    (event, *_) = lines(folder, "events", "--of", ADA, "--kind", "data_exported")
    assert (event["email"], event["detail"]["by"]) == (ADA, "operator")
    assert "no account with the email nobody@example.com" in run(folder, "users", "export", "nobody@example.com").stderr
