"""Fill the tables of `docs/security.md`: which test shows which row, as the tests themselves say.

A test names the rows that it shows at the beginning of its name (`test_l7_…`) or of its docstring (`S7, T9: …`). `make
docs` writes the tests into the column `shown by`; requirement, source and note are written by hand.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from tests.docs.paths import DOCS, ROOT

PAGE = DOCS / "security.md"
NOT_YET = "not yet"
_ROW = re.compile(r"^\| ([A-Z]\d{1,2}) \| (.*) \| (.*) \| (.*) \| (.*) \|$", re.MULTILINE)
_IN_NAME = re.compile(r"test_((?:[a-z]\d{1,2}_)+)")
_IN_DOCSTRING = re.compile(r"((?:[A-Z]\d{1,2}, )*[A-Z]\d{1,2}): ")


def rows() -> list[str]:
    """Return the ids of the page's rows, in its order."""
    return [row[1] for row in _ROW.finditer(PAGE.read_text())]


def shown_by() -> dict[str, list[str]]:
    """Return the tests of each row as `file::test`, with the file's path below `tests/`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, ids in _tests_in(path.read_text()):
            for row in dict.fromkeys(ids):  # which a name and its docstring may both give
                found[row].append(f"{path.relative_to(ROOT / 'tests')}::{name}")
    return found


def security_page() -> str:
    """Return `docs/security.md` with the column `shown by` filled anew."""
    found = shown_by()

    def filled(row: re.Match[str]) -> str:
        names = "<br>".join(f"`{name}`" for name in found.get(row[1], [])) or NOT_YET
        return f"| {row[1]} | {row[2]} | {row[3]} | {names} | {row[5]} |"

    return _ROW.sub(filled, PAGE.read_text())


def _tests_in(source: str) -> Iterator[tuple[str, list[str]]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            in_name = _IN_NAME.match(node.name)
            in_docstring = _IN_DOCSTRING.match(ast.get_docstring(node) or "")
            named = in_name[1].upper().rstrip("_").split("_") if in_name else []
            yield node.name, named + (in_docstring[1].split(", ") if in_docstring else [])
