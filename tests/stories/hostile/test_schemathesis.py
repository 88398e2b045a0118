"""schemathesis with every check it has, in all its phases, over the whole API of a running server.

One check is left out: `positive_data_acceptance` wants every body accepted that the schema allows, and no schema can
say that two passwords are the same, nor that the contract answers 400 to a wrong one.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.process import UNLIMITED, Running, given_keys, register, serving, sign_in
from tests.harness.rounds import rounds

PROGRAM = str(Path(sys.executable).parent / "schemathesis")
LEFT_OUT = "positive_data_acceptance"
EXAMPLES = str(rounds(40, suite=10))
EMAIL = "ada@example.com"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = {**UNLIMITED, **given_keys()}
    with serving(tmp_path_factory.mktemp("server"), **settings) as running:
        with running.browser() as browser:
            register(browser, EMAIL)
        yield running


@pytest.mark.parametrize("who", ["nobody", "somebody"])
def test_no_check_of_any_phase_finds_anything(server: Running, who: str, tmp_path: Path) -> None:
    with server.browser() as browser:
        sign_in(browser, EMAIL)
        bearer = f"Authorization: Bearer {browser.cookies['access_token']}"
        operations = sum(len(of_path) for of_path in browser.get("/openapi.json").json()["paths"].values())
    asked = ["run", f"{server.base}/openapi.json", "--checks", "all", "--exclude-checks", LEFT_OUT]
    quietly = [
        "--max-examples",
        EXAMPLES,
        "--generation-deterministic",
        "--no-color",
        "--phases",
        "coverage,fuzzing,stateful",
    ]
    done = subprocess.run(
        [PROGRAM, *asked, *quietly, *(["-H", bearer] if who == "somebody" else [])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert f"Selected: {operations}/{operations}" in done.stdout.replace("API Operations:", "")
    assert "Traceback" not in server.output
