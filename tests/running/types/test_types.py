"""What mypy and pyright say of a project that uses the kit: nothing, or the project's own mistake."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.guide import projects, step_up_project

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
rest_framework.require_level("2")
django.require_recent("300")
litestar.require_level(django.signed_in)
flask.Vestibule().require_recent(None)
fastapi.CurrentUser(Verifier("https://auth.example.com", "vsk_x")).require_level("2")
"""
LINES_WITH_MISTAKES = {7, *range(12, 26)}
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
COUNTED = re.compile(r"\d+ errors?, \d+ warning")


@pytest.fixture(scope="module", params=CHECKERS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a checker says of all projects and of the mistakes, in one run: it reads every framework in each."""
    folder = tmp_path_factory.mktemp("types")
    for project in PROJECTS:
        shutil.copy(project, folder)
    for number, project in enumerate(projects().values()):
        project.renamed(f"project_{number}").save(folder)
    step_up_project().save(folder)
    (folder / "mistakes.py").write_text(MISTAKES)
    return complaints(request.param, folder)


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
    return [line for line in done.stdout.splitlines() if "error" in line and not COUNTED.match(line)]


def test_a_checker_accepts_the_projects_of_the_guide(told: list[str]) -> None:
    assert [line for line in told if "mistakes.py:" not in line] == []


def test_a_checker_sees_a_mistake(told: list[str]) -> None:
    """Were the kit untyped, all would be accepted."""
    lines = {int(line.partition("mistakes.py:")[2].partition(":")[0]) for line in told if "mistakes.py:" in line}
    assert lines == LINES_WITH_MISTAKES, told
