"""The wheel of the distribution `vestibule-auth`, built and installed into an empty environment, serves."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.harness.process import link_in, run, serving, text_of, tour
from vestibule import __version__

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program's path in an environment that has the wheel, and sees what it depends on here."""
    folder = tmp_path_factory.mktemp("wheel")
    _python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPOSITORY))
    (wheel,) = folder.glob("vestibule_auth-*.whl")
    home = folder / "environment"
    _python("-m", "venv", "--without-pip", str(home))
    python = str(home / "bin" / "python")
    _python("-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    paths = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    # A line in a .pth file adds a folder, but does not read the .pth files there: no editable install comes along.
    (Path(paths["purelib"]) / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return home / "bin" / "vestibule"


def _python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, timeout=120)


def test_it_is_the_wheel_that_runs(installed: Path, tmp_path: Path) -> None:
    python = (str(installed.parent / "python"),)
    found = run(tmp_path, "-c", "import vestibule; print(vestibule.__file__)", program=python)
    assert Path(found.stdout.strip()).is_relative_to(installed.parents[1])
    assert run(tmp_path, "--version", program=(str(installed),)).stdout == f"vestibule {__version__}\n"


def test_it_is_another_name_on_the_index_than_to_import_and_to_type(installed: Path, tmp_path: Path) -> None:
    script = """
from importlib.metadata import distribution, packages_distributions
there = distribution("vestibule-auth")
print(there.version, [entry.name for entry in there.entry_points], packages_distributions()["vestibule"][0])
"""
    found = run(tmp_path, "-c", script, program=(str(installed.parent / "python"),))
    assert found.stdout == f"{__version__} ['vestibule'] vestibule-auth\n"


def test_it_brings_the_common_passwords_and_their_licence(installed: Path, tmp_path: Path) -> None:
    script = """
from importlib.metadata import files
from vestibule.crypto.common_passwords import LIST, common_passwords
print(len(common_passwords(1)), LIST.with_name("common_passwords.license.txt").exists())
print(sorted(file.name for file in files("vestibule-auth") if "licenses" in file.parts))
"""
    found = run(tmp_path, "-c", script, program=(str(installed.parent / "python"),))
    assert found.stdout.split("\n")[:2] == ["30000 True", "['LICENSE', 'common_passwords.license.txt']"]


def test_it_says_that_it_is_typed(installed: Path, tmp_path: Path) -> None:
    """PEP 561: without that file, type checkers take everything of the package for Any."""
    script = "from importlib.resources import files; print(files('vestibule').joinpath('py.typed').is_file())"
    assert run(tmp_path, "-c", script, program=(str(installed.parent / "python"),)).stdout == "True\n"


def test_it_serves(installed: Path, tmp_path: Path) -> None:
    with serving(tmp_path, program=(str(installed),)) as server, server.browser() as browser:
        tour(browser, "ada@example.com", lambda: link_in(server.output))
        assert [part.get_content_type() for part in server.letters[0].get_payload()] == ["text/plain", "text/html"]
        assert link_in(text_of(server.letters[0])) in server.output
        assert server.stop() == 0
