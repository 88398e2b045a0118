"""The recipe of CONTRIBUTING.md, followed to the letter in a copy of this repository, gives an endpoint that works."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.paths import ROOT
from tests.harness.rounds import rounds

RECIPE = (ROOT / "CONTRIBUTING.md").read_text().partition("## Recipe: add an endpoint\n")[2].partition("\n## ")[0]
COPIED = ("src", "tests", "tools", "docs", "pyproject.toml", "CHANGELOG.md", "README.md", "CONTRIBUTING.md")
BLOCK = re.compile(
    r"^ +(?P<how>A new file|In) `(?P<file>[^`]+)`(?:, (?P<side>below|above) the line `(?P<line>[^`]+)`)?:\n\n"
    r"(?P<block>^ +```\w+\n.*?^ +```\n)",
    re.MULTILINE | re.DOTALL,
)
# What every new endpoint has to pass, beside its own tests.
CHECKS = (
    "tests/unit/web/test_verification.py",
    "tests/unit/web/test_openapi.py::test_it_lists_the_map_and_nothing_else",
    "tests/unit/web/test_openapi.py::test_each_status_is_declared_and_no_other",
    "tests/unit/web/test_openapi.py::test_every_success_is_as_declared",
    "tests/stories/contract/test_contract.py::test_every_route_is_guarded",
    "tests/stories/contract/test_contract.py::test_every_refusal_has_its_look",
    "tests/stories/contract/test_contract.py::test_every_route_and_every_refusal_is_in_the_table",
    "tests/stories/attempts/test_networks.py::test_every_line_of_the_map_is_limited_or_known_not_to_be",
    "tests/docs/test_completeness.py::test_every_route_is_documented",
    "tests/docs/test_completeness.py::test_every_code_is_documented",
    "tests/docs/test_generated.py::test_generated_pages_are_current",
    "tests/docs/test_house.py::test_every_refusal_is_in_the_tree_of_its_file",
)
CHOSEN = "not postgresql"  # the same twice would cost a server
NOT_FOR_PROGRAMS = {"CHANGELOG.md"}  # nobody but a reader can tell whether a line is missing


@dataclass(frozen=True)
class Piece:
    """One block, and where it belongs: beside the one line that begins so, or a file of its own."""

    file: str
    side: str | None
    line: str | None
    block: str

    def apply(self, folder: Path) -> None:
        """Do as the recipe says; fails where its line is not there, or is there twice."""
        path = folder / self.file
        if self.line is None:
            assert not path.exists(), f"{self.file} is not new"
            path.write_text(self.block)
            return
        lines = path.read_text().splitlines(keepends=True)
        [at] = [number for number, line in enumerate(lines) if line.strip().startswith(self.line)]
        lines.insert(at + (self.side == "below"), self.block)
        path.write_text("".join(lines))


def _piece(found: re.Match[str]) -> Piece:
    assert (found["how"] == "In") == (found["line"] is not None), found[0]
    content = textwrap.dedent(found["block"]).partition("\n")[2].removesuffix("```\n")
    return Piece(found["file"], found["side"], found["line"], content)


PIECES = [_piece(found) for found in BLOCK.finditer(RECIPE)]
CODE = [piece for piece in PIECES if piece.file not in NOT_FOR_PROGRAMS]


def followed(folder: Path, pieces: list[Piece]) -> subprocess.CompletedProcess[str]:
    """The checks in a copy where these pieces were done, formatted, and the generated pages made anew."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    for piece in pieces:
        piece.apply(folder)
    touched = " ".join(sorted({piece.file for piece in pieces if piece.file.endswith(".py")}))
    python = f"{sys.executable} -P"
    script = "\n".join(
        (
            "set -e",
            f"{python} -m ruff format --no-cache {touched}",
            f"{python} -m ruff check --no-cache {touched}",
            f"{python} -m tools.docs",
            f"{python} -m pytest -x -p no:cacheprovider -k '{CHOSEN}' {shlex.join(CHECKS)}",
        )
    )
    env = {**os.environ, "PYTHONPATH": f"{folder / 'src'}:{folder}"}
    env.pop("VESTIBULE_TEST_WHOLE", None)
    # As a run of its own: what workers of this one were told is not for it.
    env = {name: value for name, value in env.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300
    )


def test_every_block_of_the_recipe_says_where_it_belongs() -> None:
    assert len(PIECES) == RECIPE.count("```") / 2 > 10


def test_the_recipe_followed_to_the_letter_gives_an_endpoint_that_works(tmp_path: Path) -> None:
    done = followed(tmp_path, PIECES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/api/users/me/verification" in (tmp_path / "docs" / "api.md").read_text()


@pytest.mark.parametrize("number", range(rounds(len(CODE), suite=1)))
def test_a_step_that_is_left_out_is_missed(tmp_path: Path, number: int) -> None:
    done = followed(tmp_path, [piece for piece in PIECES if piece is not CODE[number]])
    assert done.returncode != 0, f"nobody missed:\n{CODE[number].block}"
