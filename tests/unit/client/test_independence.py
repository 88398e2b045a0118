"""The kit runs where the server's dependencies are not: with httpx and joserfc, and what those need."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
KIT = {"httpx", "joserfc"}
# What a distribution's modules are called, where that is not its name.
MODULES = {"argon2-cffi": "argon2", "email-validator": "email_validator", "pydantic-settings": "pydantic_settings"}
FACES = ("asgi", "wsgi")

PROGRAM = """
import sys
blocked = {blocked!r}

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"the server needs {{name}}, and the kit must not", name=name)

sys.meta_path.insert(0, Nothing())
import vestibule.client
{faces}
verifier = vestibule.client.Verifier("https://auth.example.com", "vsk_x")
session = vestibule.client.Session("https://auth.example.com")
print(sorted(name for name in sys.modules if name.startswith("vestibule.")))
"""


def of_extra(extra: str) -> set[str]:
    """What the distribution asks for with an extra, by name."""
    return {Requirement(text).name for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"][extra]]}


def test_the_extra_asks_for_the_two_and_nothing_else() -> None:
    assert of_extra("client") == KIT
    assert of_extra("server") > KIT


def test_it_is_imported_and_made_without_anything_of_the_servers() -> None:
    blocked = {MODULES.get(name, name.replace("-", "_")) for name in of_extra("server") - KIT} - {"cryptography"}
    assert {"sqlalchemy", "pydantic", "fastapi", "granian", "structlog"} <= blocked
    program = PROGRAM.format(blocked=blocked, faces="\n".join(f"import vestibule.client.{name}" for name in FACES))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    others = set(re.findall(r"'(vestibule\.\w+)", done.stdout)) - {
        "vestibule.client",
        "vestibule.crypto",
        "vestibule.protocol",
    }
    assert others == {"vestibule.model"}


def test_the_command_says_what_is_missing_where_only_the_kit_is_installed() -> None:
    program = PROGRAM.format(
        blocked={"typer", "structlog", "sqlalchemy", "granian"}, faces="from vestibule.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "pip install '.[server]'" in done.stderr


@pytest.mark.parametrize("gone", sorted(KIT))
def test_a_missing_package_of_the_kit_is_one_sentence(gone: str) -> None:
    program = PROGRAM.format(blocked={gone}, faces="")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: vestibule.client needs httpx and joserfc, and {gone} is not installed; "
        "install both by, in a clone of Vestibule: pip install '.[client]'"
    )
