"""The distribution is `vestibule-auth`; what is imported and typed is `vestibule`; every page installs from a clone."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.docs.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
INSTALLS = re.compile(r"\b(?:pip3? install|uv add|uv tool install|uv pip install|pipx install|uvx)\b([^#`\n]*)")
OURS = re.compile(r"[\w./*$~-]*vestibule[\w.*-]*(?:\[[\w,]+\])?(?=['\"\s]|$)|(?<=')\.\[[\w,]+\](?=')")
"""The distribution by a name or a path, or `.` with its extras."""


def texts() -> list[Path]:
    """Every text file under version control that may tell somebody to install something."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    endings = {".md", ".py", ".yml", ".yaml", ".sh", ".txt", ".service", ".timer", ".example", ""}
    return [ROOT / name for name in listed.splitlines() if Path(name).suffix in endings and name != _HERE]


_HERE = str(Path(__file__).relative_to(ROOT))


def told() -> dict[str, str]:
    """What our documents and programs say to install of ours, and in which file."""
    found = {}
    for path in texts():
        for arguments in INSTALLS.findall(path.read_text(errors="ignore")):
            for what in OURS.findall(re.sub(r"/\S*/(?:bin|lib)/\S+", "", arguments)):
                found[what] = str(path.relative_to(ROOT))
    return found


def test_the_name_on_the_index_is_ours_and_the_command_and_the_import_stay() -> None:
    assert PROJECT["name"] == "vestibule-auth"
    assert set(PROJECT["scripts"]) == {"vestibule"}


@pytest.mark.parametrize(("what", "where"), told().items())
def test_what_is_told_to_be_installed_is_a_clone_or_a_wheel_and_never_a_name_on_the_index(
    what: str, where: str
) -> None:
    path, _, extras = what.rstrip("]").partition("[")
    assert path.startswith((".", "/", "dist/")) or path.endswith(".whl"), f"{where} would install another project"
    assert set(extras.split(",")) - {""} <= set(PROJECT["optional-dependencies"]), where


def test_something_is_told_to_be_installed() -> None:
    assert {"./vestibule[client]", ".[server]", ".[client]", ".[server,traces]"} <= set(told())


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.lock")), ids=lambda lock: lock.name)
def test_a_lock_file_names_the_distribution_that_asks_for_each_part(lock: Path) -> None:
    asked = re.findall(r"# +(?:via )?(\S+) \(pyproject\.toml", lock.read_text())
    assert set(asked) <= {PROJECT["name"]}
