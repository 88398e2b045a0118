"""Two real server processes on one PostgreSQL: a thief adds a factor and moves the account, in either order, and the
owner undoes that at one of them. The other lets no session and no token of the thief in from that second on.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email.message import Message
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from tests.harness import servers
from tests.harness.authenticator import Authenticator
from tests.harness.backends import SECRET, Backend
from tests.harness.forms import csrf_in
from tests.harness.process import PASSWORD, Running, sign_in, text_of
from tests.harness.world import BASE
from tests.stories.revocation.test_across_processes import (
    EMAIL,
    POLL_SECONDS,
    seconds_until_refused,
    two_servers,
)

THIEF = "thief@example.com"
FACTORS, LOGIN, STEP_UP = "/api/users/me/factors", "/api/auth/login", "/api/users/me/step-up"
SETTINGS = {"VESTIBULE_URL": BASE, "VESTIBULE_SECRET_KEY": SECRET}


class WithApp:
    """A thief who adds an authenticator app."""

    def add(self, browser: httpx.Client) -> None:
        uri = done(browser.post(f"{FACTORS}/totp"))["data"]["uri"]
        scanned = pyotp.parse_uri(uri)
        assert isinstance(scanned, pyotp.TOTP)
        confirmed = done(browser.post(f"{FACTORS}/totp/confirm", json={"code": scanned.now()}))["data"]
        self.codes = iter(confirmed["recovery_codes"])
        done(browser.post(STEP_UP, json={"code": next(self.codes)}))

    def sign_in(self, browser: httpx.Client, email: str) -> None:
        answer = browser.post(LOGIN, json={"email": email, "password": PASSWORD})
        assert answer.json()["code"] == "second_factor_required"
        done(browser.post(f"{LOGIN}/second-factor", json={"code": next(self.codes)}))


class WithPasskey:
    """A thief who adds a passkey."""

    def __init__(self) -> None:
        self.key = Authenticator()

    def add(self, browser: httpx.Client) -> None:
        options = done(browser.post(f"{FACTORS}/passkeys/options"))["data"]["publicKey"]
        done(browser.post(f"{FACTORS}/passkeys", json={"credential": self.key.create(options)}))
        options = done(browser.post(f"{STEP_UP}/options"))["data"]["publicKey"]
        done(browser.post(STEP_UP, json={"credential": self.key.get(options)}))

    def sign_in(self, browser: httpx.Client, _: str) -> None:
        options = done(browser.post("/api/auth/passkeys/options"))["data"]["publicKey"]
        done(browser.post("/api/auth/passkeys/verify", json={"credential": self.key.get(options)}))


Thief = WithApp | WithPasskey


def done(answer: httpx.Response) -> Any:
    """The body of an answer that is no refusal."""
    assert answer.is_success, answer.text
    return answer.json()


def letters_at(at: tuple[Running, Running], to: str) -> list[str]:
    """The texts of what was mailed to somebody, by whichever process."""
    every: list[Message] = [letter for server in at for letter in server.letters]
    return [text_of(letter) for letter in every if letter["To"] and to in letter["To"]]


def secret_mailed(at: tuple[Running, Running], to: str, page: str) -> str:
    """The secret in the one link to this page that was mailed to somebody, once it is there."""

    def found() -> list[str]:
        return [secret for text in letters_at(at, to) for secret in re.findall(rf"/{page}/([0-9a-f]{{64}})", text)]

    servers.wait_until(lambda: bool(found()), f"the letter with /{page}/")
    return found()[0]


def moves(browser: httpx.Client, at: tuple[Running, Running]) -> None:
    """The thief gives the account another email, which ends the session."""
    done(browser.patch("/api/users/me/email", json={"currentPassword": PASSWORD, "email": THIEF}))
    path = f"/confirmemail/{secret_mailed(at, THIEF, 'confirmemail')}"
    own = {"Origin": at[0].base}
    answer = browser.post(path, data={"csrf": csrf_in(browser.get(path, headers=own))}, headers=own)
    assert answer.status_code == 303, answer.text


@contextmanager
def stolen(
    folder: Path, backend: Backend, thief: Thief, *, added_first: bool
) -> Iterator[tuple[tuple[Running, Running], httpx.Client]]:
    """Two processes, and the thief's browser at the first one, who has the account by now."""
    with two_servers(folder, backend, SETTINGS, SETTINGS) as at, at[0].browser() as browser:
        done(browser.get(f"/api/auth/verifyemail/{secret_mailed(at, EMAIL, 'verifyemail')}"))
        sign_in(browser, EMAIL)
        if added_first:
            thief.add(browser)
            moves(browser, at)
            thief.sign_in(browser, THIEF)
        else:
            moves(browser, at)
            sign_in(browser, THIEF)
            thief.add(browser)
        yield at, browser


@pytest.mark.parametrize("added_first", [True, False], ids=["added, then moved", "moved, then added"])
@pytest.mark.parametrize("thief", [WithApp, WithPasskey])
def test_f71_an_undone_change_ends_all_of_the_thief_s_at_both(
    tmp_path: Path, postgresql: Backend, thief: Callable[[], Thief], added_first: bool
) -> None:
    """F71: the access token, which both have in memory; the refresh token; and the new factor."""
    with stolen(tmp_path, postgresql, thief(), added_first=added_first) as (at, browser), ExitStack() as stack:
        at_a, at_b = stack.enter_context(at[0].browser()), stack.enter_context(at[1].browser())
        at_b.headers["Authorization"] = f"Bearer {browser.cookies['access_token']}"
        for each in (browser, at_b):  # the second time from memory
            assert [each.get("/api/users/me").status_code for _ in range(2)] == [200, 200]
        undo = f"/undoemail/{secret_mailed(at, EMAIL, 'undoemail')}"
        assert at_a.post(undo, headers={"Origin": at[0].base}).status_code == 303
        assert browser.get("/api/users/me").status_code == 401
        assert seconds_until_refused(at_b) < POLL_SECONDS + servers.SLACK_SECONDS
        at_b.cookies.update(browser.cookies)
        del at_b.headers["Authorization"]
        assert [each.post("/api/auth/refresh").status_code for each in (browser, at_b)] == [403, 403]
        owner_sets_a_password_and_is_in(at, at_a)


def owner_sets_a_password_and_is_in(at: tuple[Running, Running], browser: httpx.Client) -> None:
    """No second factor is asked for, and none is listed."""
    body = {"password": "my own horse", "passwordConfirm": "my own horse"}
    done(browser.patch(f"/api/auth/resetpassword/{secret_mailed(at, EMAIL, 'resetpassword')}", json=body))
    done(browser.post(LOGIN, json={"email": EMAIL, "password": "my own horse"}))
    mine = done(browser.get(FACTORS))["data"]
    assert (mine["totp"], mine["recovery_codes_left"]) == (None, 0), mine
    assert done(browser.get(f"{FACTORS}/passkeys"))["data"]["passkeys"] == []
