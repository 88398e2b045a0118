"""CHANGELOG.md stays in the form of Keep a Changelog, and docs/versioning.md promises what the pages before it say."""

import re
import tomllib

from tests.docs.paths import DOCS, ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
_TELLING = 60
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def _releases() -> list[tuple[str, str]]:
    """Each heading of a version, with what is below it."""
    parts = re.split(r"^## (.+)\n", CHANGELOG, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def test_what_is_not_released_stands_first_and_versions_have_their_day() -> None:
    (first, _), *released = _releases()
    assert first == "[Unreleased]"
    numbers = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - \d{4}-\d{2}-\d{2}", heading) for heading, _ in released]
    assert None not in numbers
    order = [tuple(map(int, number.groups())) for number in numbers if number]
    assert order == sorted(set(order), reverse=True)
    assert all(order_of <= tuple(map(int, VERSION.split("."))) for order_of in order)


def test_every_change_is_of_a_kind_that_readers_know() -> None:
    for heading, text in _releases():
        kinds = re.findall(r"^### (.+)$", text, re.MULTILINE)
        assert set(kinds) <= KINDS, heading
        assert len(kinds) == len(set(kinds)), f"a kind stands twice below {heading}"
        before, *lists = re.split(r"^### .+\n", text, flags=re.MULTILINE)
        assert before.strip() == ""
        assert all(line.startswith(("* ", "  ")) for part in lists for line in part.splitlines() if line), heading


def test_no_change_stands_there_twice_or_in_part() -> None:
    """A merge that keeps the lines of both sides cuts and doubles entries."""
    parts = re.split(r"^(?=\* |\n|#)", CHANGELOG, flags=re.MULTILINE)
    entries = [" ".join(part.split()) for part in parts if part.startswith("* ")]
    starts = [entry[:_TELLING] for entry in entries]
    assert [start for start in starts if starts.count(start) > 1] == []
    assert [entry for entry in entries if entry[-1] not in ".:;)`"] == []


def test_the_promise_is_linked_where_people_look_for_it() -> None:
    assert "(docs/versioning.md)" in CHANGELOG.partition("\n## ")[0]
    assert "(docs/versioning.md)" in (ROOT / "README.md").read_text()


def test_the_promise_leads_to_each_thing_that_is_public() -> None:
    public = (DOCS / "versioning.md").read_text().partition("\n## What is public\n")[2].partition("\n## ")[0]
    for page in ("api.md", "settings.md", "operating.md", "services.md", "protocol/README.md", "metrics.md"):
        assert f"({page}" in public, page
