"""What mypy and pyright say of a project that uses the kit: nothing, or the project's own mistake."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.guide import projects

HERE = Path(__file__).parent
PROJECTS = sorted(HERE.glob("*_project.py"))
MISTAKES = """
from starlette.requests import Request
from vestibule.client import Verifier
from vestibule.client import asgi, django, fastapi, flask, litestar, rest_framework, wsgi

async def wrong(request: Request) -> int:
    return asgi.caller_of(request).id

class Mine(asgi.VestibuleMiddleware):
    pass

Verifier("https://auth.example.com", 7)
flask.current_caller.nothing
wsgi.caller_of(None)
fastapi.CurrentUser("https://auth.example.com")
litestar.VestibulePlugin()
django.caller_of("request")
django.signed_in(7)
rest_framework.caller_of(None).nothing
rest_framework.with_role(7)
"""
LINES_WITH_MISTAKES = {7, *range(12, 21)}
CHECKERS = {
    "mypy": [
        *(
            "-m",
            "mypy",
            "--strict",
            "--explicit-package-bases",
            "--config-file",
            os.devnull,
            "--cache-dir",
            "cache",
            "--no-error-summary",
        )
    ],
    "pyright": ["-m", "pyright", "--pythonpath", sys.executable],
}
every_checker = pytest.mark.parametrize("checker", CHECKERS)


def complaints(checker: str, folder: Path) -> list[str]:
    """The lines that a checker has to say of the files in a folder that is no part of this repository."""
    done = subprocess.run(
        [sys.executable, *CHECKERS[checker], *sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))],
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
def test_a_checker_accepts_the_projects_of_the_guide(checker: str, tmp_path: Path) -> None:
    for project in PROJECTS:
        shutil.copy(project, tmp_path)
    for number, project in enumerate(projects().values()):
        project.renamed(f"project_{number}").save(tmp_path)
    assert complaints(checker, tmp_path) == []


@every_checker
def test_a_checker_sees_a_mistake(checker: str, tmp_path: Path) -> None:
    """Were the kit untyped, all would be accepted."""
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    told = complaints(checker, tmp_path)
    lines = {int(line.partition("mistakes.py:")[2].partition(":")[0]) for line in told if "mistakes.py:" in line}
    assert lines == LINES_WITH_MISTAKES, told
