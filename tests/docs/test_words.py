"""What people read is plain English: none of the words and turns that make a page sound translated."""

import re
from pathlib import Path

import pytest

from tests.docs.paths import DOCS, ROOT

NEVER = re.compile(r"\b(whoever|hence|but for|so many|is there to be|how many that were)\b", re.IGNORECASE)
PAGES = sorted(
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "deploy").rglob("*.md"), *(ROOT / "examples").glob("*/*.md")]
)
QUOTED = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_in_plain_english(page: Path) -> None:
    lines = QUOTED.sub("", page.read_text()).splitlines()
    assert [line for line in lines if NEVER.search(line)] == []


def test_the_pages_are_those_that_people_read() -> None:
    read = {str(page.relative_to(ROOT)) for page in PAGES}
    assert {"README.md", "CHANGELOG.md", "docs/operating.md", "deploy/README.md", "examples/services/README.md"} <= read
