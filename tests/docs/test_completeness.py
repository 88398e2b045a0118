"""Nothing that can be set, asked, refused or typed is left out of the documents, and they name nothing that is not."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tests.docs.paths import DOCS, ROOT
from vestibule.cli.commands import build
from vestibule.cli.event_sentences import SENTENCES
from vestibule.model.events import EventKind
from vestibule.settings.fields import Settings, name_of
from vestibule.web.errors import HTTP_MAPPINGS, UNEXPECTED
from vestibule.web.map_lines import Route
from vestibule.web.map_reading import ROUTES

PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
MAX_DECISION_LINES = 40

NOT_SETTINGS_OF_THE_SERVER = {
    "VESTIBULE_TEST_CHROMIUM",
    "VESTIBULE_TEST_DATABASE_URL",
    "VESTIBULE_TEST_REDIS_URL",
    "VESTIBULE_TEST_WHOLE",
}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HOME_OF_SOMEBODY = re.compile(r"(?<![\w.:/])/(?:home|root|Users|tmp|work|private|mnt|var/folders)/")


@pytest.mark.parametrize("name", [name_of(field) for field in Settings.model_fields.values()])
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("code", sorted({refusal.code for refusal in HTTP_MAPPINGS} | {UNEXPECTED["code"]}))
def test_every_code_is_documented(code: str) -> None:
    assert f"`{code}`" in (DOCS / "api.md").read_text()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_documented(route: Route) -> None:
    assert f"| {route.method} | `{route.path}` |" in (DOCS / "api.md").read_text()


def test_every_command_is_documented() -> None:
    page = (DOCS / "operating.md").read_text()
    commands = list(_commands(get_command(build()), "vestibule"))
    assert "vestibule users import" in commands
    assert [command for command in commands if f"| `{command}` |" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_settings_that_are_there(page: Path) -> None:
    known = {name_of(field) for field in Settings.model_fields.values()} | NOT_SETTINGS_OF_THE_SERVER
    named = set(re.findall(r"\bVESTIBULE_[A-Z_]*[A-Z]", page.read_text()))
    assert named - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_make_targets_that_are_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^|\$ )make ([a-z0-9]+)\b", page.read_text(), re.MULTILINE)) - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_leads_nowhere_but_to_what_is_there(page: Path) -> None:
    targets = [link for link in LINK.findall(CODE_BLOCK.sub("", page.read_text())) if "://" not in link]
    assert [link for link in targets if not _is_there(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_row_of_a_table_has_as_many_cells_as_its_head(page: Path) -> None:
    """A bar ends a cell also within backticks, unless a backslash stands before it."""
    tables = re.findall(r"(?:^\|.*\n?)+", CODE_BLOCK.sub("", page.read_text()), re.MULTILINE)
    broken = []
    for table in tables:
        head, *rows = table.splitlines()
        broken += [row for row in rows if _bars(row) != _bars(head) or not row.rstrip().endswith("|")]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_knows_no_machine(page: Path) -> None:
    text = page.read_text()
    assert HOME_OF_SOMEBODY.findall(text) == []
    assert str(ROOT) not in text


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda decision: decision.stem)
def test_a_decision_is_listed_and_short(decision: Path) -> None:
    text = decision.read_text()
    title = text.partition("\n")[0].removeprefix(f"# {decision.name[:4]} ")
    assert f"| [{decision.name[:4]}]({decision.name}) | {title} |" in (DOCS / "decisions" / "README.md").read_text()
    assert len(text.splitlines()) <= MAX_DECISION_LINES
    assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(decision.name[:4]) for decision in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_every_file_in_the_glossary_is_there() -> None:
    rows = re.findall(r"^\| (\S[^|]*) \| [^|]+ \| `([^`]+)` \|$", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    words = [word for word, _ in rows]
    assert len(words) == len(set(words)) > 0
    assert [file for _, file in rows if not (ROOT / "src" / "vestibule" / file).is_file()] == []


def test_every_document_that_the_code_names_is_there() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    named = set(re.findall(r"\bdocs/[\w/-]+\.md", sources))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def _bars(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row))


def _is_there(page: Path, link: str) -> bool:
    path, _, fragment = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not fragment or fragment in {_anchor(heading) for heading in _headings(target)}


def _headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", CODE_BLOCK.sub("", page.read_text()), re.MULTILINE)


def _anchor(heading: str) -> str:
    """As code hosts make them: lower case, punctuation gone, spaces to hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _commands(command: Any, name: str) -> Iterator[str]:
    if not isinstance(command, TyperGroup):
        yield name
        return
    for word, below in command.commands.items():
        yield from _commands(below, f"{name} {word}")


def test_every_kind_of_event_has_a_sentence_of_its_own() -> None:
    assert set(SENTENCES) == set(EventKind)
    assert len(set(SENTENCES.values())) == len(SENTENCES)
