"""What the source itself may not have: SQL that is put together, requests to elsewhere, parts that nobody pinned."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.version import Version

from tests.docs.paths import ROOT

SOURCE = ROOT / "src" / "vestibule"
FILES = sorted(SOURCE.rglob("*.py"))
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
# What takes SQL as text.
HANDS_ON = {"execute", "control"}
TAKES_SQL = {"text", "exec_driver_sql", "DDL", "literal_column", "from_statement"} | HANDS_ON
GOES_OUT = {"httpx", "http.client", "urllib.request", "requests", "aiohttp", "urllib3"}
# The kit and the person's session are another program's; the doctor asks the server that it is told to.
MAY_GO_OUT = ("client/", "doctor/outside.py")
# The first releases without a hole that concerns a server: h11 CVE-2025-43859; starlette CVE-2025-62727;
# python-multipart CVE-2024-53981; jinja2 CVE-2025-27516; cryptography CVE-2024-12797; joserfc CVE-2025-65015.
FLOORS = {
    "h11": "0.16.0",
    "starlette": "0.49.1",
    "python-multipart": "0.0.27",
    "jinja2": "3.1.6",
    "cryptography": "44.0.1",
    "joserfc": "1.4.2",
}


def called(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


def is_put_together(node: ast.expr) -> bool:
    """Whether a text is made of parts that the parser cannot know: f-strings, %, +, format, join."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod | ast.Add)
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"format", "join", "replace"}


def unsafe_sql(path: Path) -> list[str]:
    found = []
    for name, call in called(path):
        if name in TAKES_SQL and call.args:
            text = call.args[0]
            plain = isinstance(text, ast.Constant)
            if is_put_together(text) or (name in TAKES_SQL - HANDS_ON and not plain):
                found.append(f"{path.name}:{call.lineno}")
    return found


def test_h10_sql_is_never_put_together_from_text() -> None:
    assert [place for path in FILES for place in unsafe_sql(path)] == []


def test_h10_it_would_be_found(tmp_path: Path) -> None:
    lines = [
        'text(f"SELECT {a}")',
        'execute("SELECT " + a)',
        "text(a)",
        'c.exec_driver_sql("x %s" % a)',
        'text("SELECT")',
        'control(f"NOTIFY {a}")',
    ]
    (tmp_path / "bad.py").write_text("\n".join(lines))
    assert unsafe_sql(tmp_path / "bad.py") == ["bad.py:1", "bad.py:2", "bad.py:3", "bad.py:4", "bad.py:6"]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_h13_the_server_makes_no_request_of_its_own() -> None:
    """H13: nothing in it can: no module of the server has what it takes."""
    able = {str(path.relative_to(SOURCE)) for path in FILES if imported(path) & GOES_OUT}
    assert {name for name in able if not name.startswith(MAY_GO_OUT)} == set()
    assert "client/wire.py" in able


def pinned(lock: Path) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", lock.read_text(), re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in found}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_l6_every_part_is_pinned_with_its_hashes(lock: Path) -> None:
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    parts = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    parts = [part for part in parts if part.strip()]
    assert parts
    assert [part.partition("\n")[0] for part in parts if "--hash=sha256:" not in part or "==" not in part] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_l6_no_part_is_older_than_the_release_that_closed_its_hole(lock: Path) -> None:
    versions = pinned(lock)
    below = [name for name, floor in FLOORS.items() if Version(versions.get(name, floor)) < Version(floor)]
    assert below == []


def test_l6_the_list_of_parts_has_all_that_is_installed_to_serve(tmp_path: Path) -> None:
    """L6: the SBOM, as `make sbom` makes it."""
    (line,) = re.findall(r"\$\(BIN\)/(cyclonedx-py .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    made = tmp_path / "vestibule.cdx.json"
    words = [str(made) if word.endswith(".cdx.json") else word for word in line.split()]
    command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    listed = json.loads(made.read_text())
    parts = {part["name"].lower().replace("_", "-"): part["version"] for part in listed["components"]}
    assert parts == pinned(ROOT / "requirements" / "serve.lock")
    assert listed["metadata"]["component"]["name"] == "vestibule-auth"
