"""docs/bounds.md names all that can grow: each table of the database, and each container that a process keeps."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from vestibule.storage.sql.schema import metadata

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "vestibule"
PAGE = (ROOT / "docs" / "bounds.md").read_text()
CONTAINERS = {"dict", "list", "set", "deque", "Counter", "defaultdict", "OrderedDict", "Queue"}
CACHES = {"cache", "lru_cache"}
SHORT_LIVED = {"cli", "doctor", "settings", "client/testing.py"}
"""Commands and what reads settings: they end, or are read once."""


def named_in(section: str) -> list[str]:
    """The first cell of each row in a section of the page."""
    text = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_n12_each_table_has_a_row_that_says_what_purges_it() -> None:
    assert named_in("Tables") == sorted(metadata.tables)


def test_n12_each_container_that_a_process_keeps_has_a_row() -> None:
    assert named_in("In memory") == sorted(kept())


def kept() -> Iterator[str]:
    """What begins empty and may grow, or remembers answers, as `file.py name`."""
    for path in SOURCE.rglob("*.py"):
        inside = path.relative_to(SOURCE)
        if SHORT_LIVED.isdisjoint({inside.parts[0], str(inside)}):
            yield from (f"{inside} {name}" for name in names_in(ast.parse(path.read_text())))


def names_in(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        yield from assigned(node, ast.Name)
        if isinstance(node, ast.FunctionDef) and any(name_of(each) in CACHES for each in node.decorator_list):
            yield node.name
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                for each in method.body:
                    yield from assigned(each, ast.Attribute)


def assigned(node: ast.stmt, to: type[ast.Name | ast.Attribute]) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    if isinstance(node, ast.Assign | ast.AnnAssign) and begins_empty(node.value):
        for target in targets:
            if isinstance(target, to):
                yield target.id if isinstance(target, ast.Name) else target.attr


def begins_empty(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.List | ast.Set):
        return not value.elts
    return isinstance(value, ast.Call) and not value.args and name_of(value.func) in CONTAINERS


def name_of(node: ast.expr) -> str:
    """The last name of `a.b`, `a.b[c]` or `a.b(c)`."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    if isinstance(node, ast.Subscript):
        return name_of(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
