"""What mypy and pyright say of a project that uses the kit: nothing, or the project's own mistake."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.paths import DOCS
from tests.unit.client.asking import Ask, on_asgi, on_wsgi
from vestibule.client.testing import SignedIn, vestibule

__all__ = ["vestibule"]

HERE = Path(__file__).parent
PROJECTS = sorted(HERE.glob("*_project.py"))
FRAMEWORKS = {"fastapi", "starlette", "wsgi", "flask", "litestar"}
MISTAKES = """
from starlette.requests import Request
from vestibule.client import Verifier
from vestibule.client import asgi, fastapi, flask, litestar, wsgi

async def wrong(request: Request) -> int:
    return asgi.caller_of(request).id

class Mine(asgi.VestibuleMiddleware):
    pass

Verifier("https://auth.example.com", 7)
flask.current_caller.nothing
wsgi.caller_of(None)
fastapi.CurrentUser("https://auth.example.com")
litestar.VestibulePlugin()
"""
LINES_WITH_MISTAKES = {7, 12, 13, 14, 15, 16}
CHECKERS = {
    "mypy": [*("-m", "mypy", "--strict", "--config-file", os.devnull, "--cache-dir", "cache", "--no-error-summary")],
    "pyright": ["-m", "pyright", "--pythonpath", sys.executable],
}
every_checker = pytest.mark.parametrize("checker", CHECKERS)


def complaints(checker: str, folder: Path) -> list[str]:
    """The lines that a checker has to say of the files in a folder that is no part of this repository."""
    done = subprocess.run(
        [sys.executable, *CHECKERS[checker], *sorted(path.name for path in folder.glob("*.py"))],
        cwd=folder,
        env={**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "error" in line and not line.startswith("0 errors")]


@every_checker
def test_a_checker_accepts_a_project_in_each_framework(checker: str, tmp_path: Path) -> None:
    for project in PROJECTS:
        shutil.copy(project, tmp_path)
    assert complaints(checker, tmp_path) == []


@every_checker
def test_a_checker_sees_a_mistake(checker: str, tmp_path: Path) -> None:
    """Were the kit untyped, all would be accepted."""
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    told = complaints(checker, tmp_path)
    lines = {int(line.partition("mistakes.py:")[2].partition(":")[0]) for line in told if "mistakes.py:" in line}
    assert lines == LINES_WITH_MISTAKES, told


@pytest.mark.parametrize("name", sorted(FRAMEWORKS))
def test_the_guide_shows_the_project(name: str) -> None:
    code = (HERE / f"{name}_project.py").read_text().partition('"""\n\n')[2]
    assert f"```python\n{code}```\n" in (DOCS / "services.md").read_text()


@pytest.mark.parametrize("name", sorted(FRAMEWORKS))
def test_the_project_of_the_guide_works(name: str, vestibule: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_KEY", "vsk_x")
    project = importlib.import_module(f"{__package__}.{name}_project")
    ask: Ask = (
        on_wsgi(project.create_app()) if name == "flask" else (on_wsgi if name == "wsgi" else on_asgi)(project.app)
    )
    headers = vestibule.headers(vestibule.token_for("ada"))
    answer = ask("/orders", headers=headers)
    assert (answer.status_code, "ada" in answer.text) == (200, True)
    assert ask("/orders").status_code == 401
    if name != "wsgi":
        assert ask("/all", headers=headers).status_code == 403
        admin = vestibule.headers(vestibule.token_for("ada", role="admin"))
        assert ask("/all", headers=admin).status_code == 200
