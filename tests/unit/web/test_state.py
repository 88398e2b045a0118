"""What all requests share and what is known about one are typed: nothing is kept on `state` beside the two objects."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.paths import ROOT

PACKAGE = ROOT / "src" / "vestibule"
KIT = PACKAGE / "client"  # shows the caller to the applications of others, whose state it is
KEPT = {"web/application.py": {"site"}, "web/site.py": {"site"}, "web/request_context.py": {"context"}}
OF_A_KEY = {"web/api/admin/keys.py": {"?"}}
FRAMEWORKS = {"fastapi", "starlette"}


def on_the_framework() -> Iterator[Path]:
    """The files that may hold a request or an application."""
    for path in PACKAGE.rglob("*.py"):
        if KIT not in path.parents and FRAMEWORKS & set(_imported(ast.parse(path.read_text()))):
            yield path


def kept(source: str) -> set[str]:
    """What is read from or written to any `state`; "?" for a state that is handed on, and for that of a scope."""
    tree = ast.parse(source)
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    states = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in {"state", "_state"}]
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == "state"]
    return {_name(above[state]) for state in states} | {"?" for _ in scopes}


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    by_name = isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
    return str(node.args[1].value) if by_name else "?"  # type: ignore[attr-defined]


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)


def test_nothing_else_is_kept_on_a_state() -> None:
    found = {str(path.relative_to(PACKAGE)): kept(path.read_text()) for path in on_the_framework()}
    assert len(found) > 40
    assert {path: names for path, names in found.items() if names} == KEPT | OF_A_KEY


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("request.state.caller = caller", {"caller"}),
        ("request.app.state.env", {"env"}),
        ('getattr(request.state, "typed", None)', {"typed"}),
        ('hasattr(request.state, "caller")', {"caller"}),
        ("state = request.state", {"?"}),
        ("vars(app.state)", {"?"}),
        ("app.state._state.clear()", {"_state", "clear"}),
        ('scope["state"]["caller"]', {"?"}),
        ("context_of(request).caller", set()),
    ],
)
def test_every_way_to_use_a_state_is_seen(source: str, names: set[str]) -> None:
    assert kept(source) == names
