"""The forms in which people report have the shape that code hosts read, and ask for nothing that gives secrets away."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.paths import ROOT
from tests.harness.process import run

FOLDER = ROOT / ".github" / "ISSUE_TEMPLATE"
FORMS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yml")) if path.stem != "config"}
TYPES = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
PULL_REQUEST = (ROOT / ".github" / "pull_request_template.md").read_text()


def questions(form: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is asked, by id."""
    return {part["id"]: part for part in form["body"] if part["type"] != "markdown"}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_has_the_documented_shape(name: str) -> None:
    form = FORMS[name]
    assert {"name", "description", "body"} <= form.keys() <= {"name", "description", "body", "labels", "title"}
    assert {part["type"] for part in form["body"]} <= TYPES
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    assert all(re.fullmatch(r"[\w-]+", part["id"]) and part["attributes"]["label"] for part in asked)
    assert len(questions(form)) == len(asked), "two have one id"
    assert len({part["attributes"]["label"] for part in asked}) == len(asked)
    assert all(isinstance(part["validations"]["required"], bool) for part in asked)
    assert any(part["validations"]["required"] for part in asked)
    assert all(part["attributes"]["value"] for part in form["body"] if part["type"] == "markdown")


@pytest.mark.parametrize("name", FORMS)
def test_a_form_asks_for_the_version_and_for_what_was_expected(name: str) -> None:
    asked = questions(FORMS[name])
    assert "`vestibule --version`" in asked["version"]["attributes"]["description"]
    assert asked["version"]["validations"]["required"]
    assert "expect" in asked["expected"]["attributes"]["label"]


def test_a_weakness_goes_the_way_of_the_security_page() -> None:
    assert "SECURITY.md" in FORMS["bug"]["body"][0]["attributes"]["value"]
    assert "SECURITY.md" in PULL_REQUEST
    assert "SECURITY.md" in (FOLDER / "config.yml").read_text()
    assert isinstance(yaml.safe_load((FOLDER / "config.yml").read_text())["blank_issues_enabled"], bool)


def test_what_a_form_asks_for_gives_no_secret_away(tmp_path: Path) -> None:
    """The doctor looks at everything that may be secret, and every look goes wrong."""
    assert "`vestibule doctor --json`" in questions(FORMS["bug"])["doctor"]["attributes"]["description"]
    secrets = {name: f"canary-{name}" for name in ("database", "redis", "mail", "pepper", "reader")}
    shown = run(
        tmp_path,
        "doctor",
        "--json",
        DATABASE_URL=f"postgresql://reader:{secrets['database']}@127.0.0.1:1/x",
        REDIS_URL=f"redis://:{secrets['redis']}@127.0.0.1:1/0",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT="1",
        EMAIL_USER="mailer",
        EMAIL_PASS=secrets["mail"],
        VESTIBULE_PEPPER=secrets["pepper"] * 4,
    )
    assert '"severity": "fault"' in shown.stdout
    assert "127.0.0.1" in shown.stdout
    assert [name for name, secret in secrets.items() if secret in shown.stdout + shown.stderr] == []
