"""`vestibule login` of an account that must have a second factor and has none: it sets up an app in the terminal."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

from tests.harness.backends import SECRET
from tests.harness.process import PASSWORD, PROGRAM, Running, environment, register, run, serving
from vestibule.client import AsyncSession, EnrolmentRequiredError, Session, SignedOutError
from vestibule.model.clock import SystemClock

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
WRONG = "This code is wrong; enter the one that the app shows now, or a recovery code that was not used yet"
CODE = re.compile(r"[0-9]-[0-9a-z]{5}-[0-9a-z]{5}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("vestibule")
    with serving(folder, VESTIBULE_SECRET_KEY=SECRET, VESTIBULE_SECOND_FACTOR="required") as running:
        with running.browser() as browser:
            for email in (ADA, BOB, EVE):
                register(browser, email)
        yield running


def now_of(uri: str) -> str:
    app = pyotp.parse_uri(uri)
    assert isinstance(app, pyotp.TOTP)
    return app.at(SystemClock().now())


def test_f45_an_app_is_set_up_in_the_terminal(server: Running, tmp_path: Path) -> None:
    """F45: a QR code and the key; a wrong code may be mended; the recovery codes go to the standard output."""
    command = [*PROGRAM, "login", ADA, "--url", server.base]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    around = environment(tmp_path, {"HOME": str(tmp_path)})
    with subprocess.Popen(command, cwd=tmp_path, env=around, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(f"{PASSWORD}\n".encode())
        process.stdin.flush()
        said = ""
        while not (key := re.search(r"^Key: ([A-Z2-7 ]+)$", said, re.MULTILINE)):
            line = process.stderr.readline().decode()
            assert line, said
            said += line
        code = pyotp.TOTP(key.group(1).replace(" ", "")).at(SystemClock().now())
        out, err = process.communicate(f"000000x\n{code}\n".encode(), timeout=60)
    assert "Your account needs a second factor." in said
    assert max(map(len, said.splitlines())) <= 80
    assert "█" in said
    assert process.returncode == 0, err.decode()
    assert [CODE.fullmatch(line) is not None for line in out.decode().splitlines()] == [True] * 10
    assert WRONG in err.decode()
    assert err.decode().endswith(f"Signed in as {ADA}.\n")
    assert ADA in run(tmp_path, "whoami", "--url", server.base, HOME=str(tmp_path)).stdout


def test_f45_without_a_code_nobody_is_signed_in(server: Running, tmp_path: Path) -> None:
    typed = f"{PASSWORD}\n" + "000000\n" * 3
    done = run(tmp_path, "login", BOB, "--url", server.base, typed=typed, HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.endswith(f"vestibule: {WRONG}\n")
    assert done.stdout == ""
    assert not list(tmp_path.rglob("sessions/*.json"))


async def test_f45_a_program_sets_one_up(server: Running) -> None:
    """F45: it is told what it can set up, and where; without a sign-in that waits there is nothing to set up."""
    with Session(server.base) as session:
        with pytest.raises(SignedOutError, match="No sign-in is waiting"):
            session.begin_enrolment()
        with pytest.raises(EnrolmentRequiredError, match=f":{server.port}/login to set one up$") as asked:
            session.sign_in(EVE, PASSWORD)
    assert (asked.value.code, asked.value.factors) == ("second_factor_enrolment_required", ("totp", "passkey"))
    async with AsyncSession(server.base) as other:
        with pytest.raises(EnrolmentRequiredError):
            await other.sign_in(EVE, PASSWORD)
        uri = await other.begin_enrolment()
        with pytest.raises(SignedOutError) as wrong:
            await other.complete_enrolment("000000x")
        codes = await other.complete_enrolment(now_of(uri))
        assert (await other.me())["email"] == EVE
    assert (wrong.value.code, len(codes)) == ("wrong_code", 10)
