"""What docs/services.md shows for a service's own tests, run as its reader runs it, with no Vestibule anywhere."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.guide import projects, section
from vestibule.client.testing import SignedIn

SECONDS = 120


def shown() -> tuple[str, str]:
    """The file with the test, and the command."""
    text = section("In your tests")
    (file,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (command,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return file, command


@pytest.mark.parametrize("framework", ["FastAPI", "Starlette"])
def test_the_test_of_the_guide_passes_for_an_application_with_a_lifespan(framework: str, tmp_path: Path) -> None:
    file, command = shown()
    project = projects()[framework]
    assert "lifespan=lifespan(verifier)" in project.files["orders.py"]
    project.save(tmp_path)
    (tmp_path / "test_orders.py").write_text(file)
    around = {"PATH": f"{sys.prefix}/bin:{os.environ['PATH']}", "HOME": str(tmp_path)}
    ran = subprocess.run(
        ["bash", "-ec", command], cwd=tmp_path, env=around, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert (ran.returncode, "1 passed" in ran.stdout) == (0, True), ran.stdout + ran.stderr


def email_recipe(monkeypatch: pytest.MonkeyPatch) -> Any:
    (lines,) = re.findall(r"```python\n(.*?)```", section("What a caller is, and a refusal"), re.DOTALL)
    monkeypatch.setenv("VESTIBULE_URL", "https://vestibule.test")
    made: dict[str, Any] = {}
    exec(lines, made)
    return made["email_of"]


def test_the_email_of_a_caller_is_told_in_a_test_too(vestibule: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    email_of = email_recipe(monkeypatch)
    ada, bob = vestibule.token_for("ada", email="ada@lovelace.example"), vestibule.token_for("bob")
    assert email_of(f"Bearer {ada}") == "ada@lovelace.example"
    assert email_of(f"Bearer {bob}") == "bob@example.com"
    vestibule.revoke(ada)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        email_of(f"Bearer {ada}")
