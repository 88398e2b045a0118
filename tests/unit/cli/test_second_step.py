"""`vestibule login` of an account with a second factor: it asks for a code, and says what is wrong with one."""

import os
import pty
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pyotp
import pytest

from tests.harness.backends import SECRET
from tests.harness.process import (
    PASSWORD,
    PROGRAM,
    Running,
    complaint,
    register,
    run,
    serving,
    sign_in,
    started,
)
from tests.stories.factors.apps import CONFIRM, TOTP
from tests.unit.cli.stored_factors import add_factors
from tests.unit.cli.test_interrupted import INTERRUPTED, interrupted
from vestibule.client import SecondFactorRequiredError, Session, SignedOutError
from vestibule.model.clock import SystemClock

ADA, BOB, EVE, CARL = "ada@example.com", "bob@example.com", "eve@example.com", "carl@example.com"
WRONG = "vestibule: This code is wrong; enter the one that the app shows now, or a recovery code that was not used yet"
USED = "vestibule: This code was used already; wait until the app shows the next one"
LATE = (
    "vestibule: This code was right some minutes ago, or will be; enter the one that the app shows now, and let your"
    " phone set its clock by itself"
)
PAUSED = (
    "Too many wrong codes here; one more is checked in 24 h. Use a passkey, a recovery code, or a device on which you "
    "have signed in with a code before, or ask for help"
)
OVER = "Sign in first; the second step has to follow within 10 minutes"
NO_CODE = "9-22222-22222"
DATABASE = ("vestibule-data", "vestibule.sqlite3")


@dataclass
class Enrolled:
    """Somebody's app, and the recovery codes that are left."""

    app: pyotp.TOTP
    codes: list[str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("vestibule"), VESTIBULE_SECRET_KEY=SECRET) as running:
        yield running


@pytest.fixture(scope="module")
def ada(server: Running) -> Enrolled:
    with server.browser() as browser:
        register(browser, ADA)
        return enrol(browser, ADA)


def enrol(browser: httpx.Client, email: str) -> Enrolled:
    """Confirm an app by its code of now. The next one is good already, and goes on being good for a minute."""
    sign_in(browser, email)
    begun = browser.post(TOTP)
    assert begun.status_code == 200, begun.text
    app = pyotp.parse_uri(begun.json()["data"]["uri"])
    assert isinstance(app, pyotp.TOTP)
    confirmed = browser.post(CONFIRM, json={"code": app.now()})
    assert confirmed.status_code == 200, confirmed.text
    return Enrolled(app, confirmed.json()["data"]["recovery_codes"])


def login(server: Running, home: Path, *codes: str, email: str = ADA) -> "subprocess.CompletedProcess[str]":
    home.mkdir(exist_ok=True)
    typed = "".join(f"{line}\n" for line in (PASSWORD, *codes))
    return run(home, "login", email, "--url", server.base, typed=typed, HOME=str(home))


def stored(home: Path) -> list[Path]:
    return list(home.rglob("sessions/*.json"))


def test_f31_a_code_of_the_app_signs_in(server: Running, ada: Enrolled, tmp_path: Path) -> None:
    done = login(server, tmp_path, ada.app.at(SystemClock().now() + timedelta(seconds=30)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"Signed in as {ADA}.\n")
    assert ADA in run(tmp_path, "whoami", "--url", server.base, HOME=str(tmp_path)).stdout


def test_f31_a_recovery_code_signs_in_once(server: Running, ada: Enrolled, tmp_path: Path) -> None:
    code = ada.codes.pop()
    assert login(server, tmp_path / "first", code).stderr == f"Signed in as {ADA}.\n"
    again = login(server, tmp_path / "second", code, code, code)
    assert (again.returncode, again.stderr.splitlines()) == (1, [WRONG] * 3)
    assert not stored(tmp_path / "second")


def test_f74_a_code_that_was_used_or_is_of_another_time_is_told(server: Running, tmp_path: Path) -> None:
    with server.browser() as browser:
        register(browser, CARL)
        carl = enrol(browser, CARL)
    now = SystemClock().now()
    used, late = carl.app.at(now + timedelta(seconds=30)), carl.app.at(now - timedelta(minutes=4))
    assert login(server, tmp_path / "first", used, email=CARL).returncode == 0
    told = login(server, tmp_path / "second", used, late, carl.codes.pop(), email=CARL)
    assert (told.returncode, told.stderr.splitlines()) == (0, [USED, LATE, f"Signed in as {CARL}."])


def test_f31_a_mistake_may_be_mended_and_a_fourth_code_is_not_taken(
    server: Running, ada: Enrolled, tmp_path: Path
) -> None:
    mended = login(server, tmp_path / "mended", NO_CODE, "", ada.codes.pop())
    assert (mended.returncode, complaint(mended.stderr.splitlines()[-1])) == (2, no_code())
    third = login(server, tmp_path / "third", NO_CODE, "no code at all", ada.codes.pop())
    assert (third.returncode, third.stderr.splitlines()) == (0, [WRONG, WRONG, f"Signed in as {ADA}."])
    fourth = login(server, tmp_path / "fourth", NO_CODE, NO_CODE, NO_CODE, ada.codes.pop())
    assert (fourth.returncode, fourth.stderr.splitlines()) == (1, [WRONG] * 3)
    assert not stored(tmp_path / "fourth")


def no_code() -> str:
    return "no app or recovery code given: type one, or give it as a line on the standard input"


def test_f31_without_a_code_it_says_what_is_missing(server: Running, ada: Enrolled, tmp_path: Path) -> None:
    assert ada.codes
    done = login(server, tmp_path)
    assert (done.returncode, complaint(done.stderr)) == (2, no_code())
    assert not stored(tmp_path)


def test_f31_a_code_is_no_argument_and_is_not_repeated(server: Running, tmp_path: Path) -> None:
    done = run(tmp_path, "login", ADA, NO_CODE, "--url", server.base, HOME=str(tmp_path))
    assert done.returncode == 2
    assert NO_CODE not in done.stdout + done.stderr


def test_f31_after_too_many_wrong_codes_it_says_so_and_asks_no_more(server: Running, tmp_path: Path) -> None:
    with server.browser() as browser:
        register(browser, BOB)
        enrol(browser, BOB)
    for _ in range(3):
        assert login(server, tmp_path, *["nonsense"] * 3, email=BOB).stderr.splitlines() == [WRONG] * 3
    paused = login(server, tmp_path, *["nonsense"] * 3, email=BOB)
    assert (paused.returncode, paused.stderr.splitlines()) == (1, [WRONG, f"vestibule: {PAUSED}"])


def test_f31_who_has_passkeys_alone_is_sent_to_a_browser(server: Running, tmp_path: Path) -> None:
    with server.browser() as browser:
        register(browser, EVE)
    with sqlite3.connect(server.folder.joinpath(*DATABASE), timeout=60) as database:
        add_factors(database, EVE, "a key")
        for table in ("totps", "recovery_codes"):
            database.execute(
                f"DELETE FROM {table} WHERE account_id = (SELECT id FROM accounts WHERE email = ?)", (EVE,)
            )
    done = login(server, tmp_path, NO_CODE, email=EVE)
    assert done.returncode == 1
    assert complaint(done.stderr).startswith("this account's second factor is a passkey, which a browser uses")


def test_f31_a_program_is_told_what_the_account_has_and_when_it_took_too_long(server: Running, ada: Enrolled) -> None:
    """F31: the second step belongs to the first: without one, and once it is over, no code signs in."""
    with Session(server.base) as session:
        with pytest.raises(SignedOutError) as none:
            session.complete_sign_in(ada.codes[0])
        with pytest.raises(SecondFactorRequiredError) as asked:
            session.sign_in(ADA, PASSWORD)
        with sqlite3.connect(server.folder.joinpath(*DATABASE), timeout=60) as database:
            database.execute("DELETE FROM pending_sign_ins")
        with pytest.raises(SignedOutError) as over:
            session.complete_sign_in(ada.codes[0])
        with pytest.raises(SecondFactorRequiredError):
            session.sign_in(ADA, PASSWORD)
        session.complete_sign_in(ada.codes.pop(0))
        assert session.me()["email"] == ADA
    assert asked.value.factors == ("totp", "recovery_code")
    assert (none.value.code, over.value.code, str(over.value)) == ("no_pending_sign_in", "no_pending_sign_in", OVER)


def test_c41_at_the_question_for_a_code(server: Running, ada: Enrolled, tmp_path: Path) -> None:
    assert ada.codes
    ours, its = pty.openpty()
    command, settings = ["login", ADA, "--url", server.base], {"HOME": str(tmp_path)}
    process = started(tmp_path, PROGRAM, command, settings, (its, its, its))
    os.close(its)
    read_to(ours, b"Password: ")
    os.write(ours, f"{PASSWORD}\n".encode())
    said = read_to(ours, b"App or recovery code: ")
    assert interrupted(process) == INTERRUPTED
    os.close(ours)
    assert PASSWORD.encode() not in said
    assert not stored(tmp_path)


def read_to(terminal: int, end: bytes) -> bytes:
    """What a terminal shows, up to a question."""
    said = b""
    while not said.endswith(end):
        said += os.read(terminal, 10_000)
    return said
