"""docs/guides/react.md shows each file of examples/react as it stands, and that folder names no registry."""

import re

import pytest

from tests.docs.paths import DOCS, ROOT

EXAMPLE = ROOT / "examples" / "react"
GUIDE = (DOCS / "guides" / "react.md").read_text()
SHOWN = dict(re.findall(r"^### (\S+)\n.*?^```\w+\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))
NOT_SHOWN = {"README.md", ".gitignore", "package-lock.json", "src/style.css"}
MADE = {"node_modules", "dist"}


def test_every_file_is_shown() -> None:
    files = [path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*") if path.is_file()]
    there = {str(file) for file in files if file.parts[0] not in MADE}
    assert there == NOT_SHOWN | SHOWN.keys()


@pytest.mark.parametrize("name", SHOWN)
def test_a_file_of_the_react_guide_is_shown_as_it_stands(name: str) -> None:
    assert SHOWN[name] == (EXAMPLE / name).read_text()


def test_versions_are_exact_and_the_lock_names_no_registry() -> None:
    versions = re.findall(r'^    "\S+": "(.+?)",?$', SHOWN["package.json"].partition('"dependencies"')[2], re.MULTILINE)
    assert len(versions) == 7
    assert [version for version in versions if not re.fullmatch(r"[\d.]+", version)] == []
    lock = (EXAMPLE / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert '"resolved"' not in lock
