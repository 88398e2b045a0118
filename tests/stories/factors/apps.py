"""An authenticator app in the hands of somebody, with codes by pyotp, which knows nothing of our own."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pyotp

from tests.harness.clock import ManualClock
from tests.harness.world import World

FACTORS = "/api/users/me/factors"
CODES = f"{FACTORS}/recovery-codes"
TOTP = f"{FACTORS}/totp"
CONFIRM = f"{TOTP}/confirm"


@dataclass
class App:
    """An app that has scanned the QR code."""

    totp: pyotp.TOTP
    clock: ManualClock

    def code(self, steps: int = 0) -> str:
        """The code of this moment, or of some steps later."""
        return self.totp.at(self.clock.now() + timedelta(seconds=30 * steps))

    def next_code(self) -> str:
        """The first code that was not shown yet: half a minute later."""
        self.clock.advance(seconds=30)
        return self.code()


async def scan(world: World, browser: httpx.AsyncClient) -> App:
    """Begin an app, which does not count yet."""
    answer = await browser.post(TOTP)
    assert answer.status_code == 200, answer.text
    scanned = pyotp.parse_uri(answer.json()["data"]["uri"])
    assert isinstance(scanned, pyotp.TOTP)
    return App(scanned, world.clock)


async def confirm(browser: httpx.AsyncClient, code: str, **more: Any) -> dict[str, Any]:
    """Let the app count; what was answered."""
    answer = await browser.post(CONFIRM, json={"code": code, **more})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def enrol(world: World, browser: httpx.AsyncClient) -> tuple[App, list[str]]:
    """An app that counts, and the recovery codes that came with it."""
    app = await scan(world, browser)
    codes: list[str] = (await confirm(browser, app.code()))["recovery_codes"]
    return app, codes


async def prove(browser: httpx.AsyncClient, app: App) -> None:
    """Step up by a code, because the account has a factor by now, and the password alone changes nothing any more."""
    answer = await browser.post("/api/users/me/step-up", json={"code": app.next_code()})
    assert answer.status_code == 200, answer.text


async def listed(browser: httpx.AsyncClient) -> dict[str, Any]:
    """The factors of the account, as its owner sees them."""
    answer = await browser.get(FACTORS)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


LOGIN, SECOND = "/api/auth/login", "/api/auth/login/second-factor"
ADA, PASSWORD = "ada@example.com", "correct horse"


async def enrolled(world: World) -> tuple[httpx.AsyncClient, App, list[str]]:
    """Ada with an app: the browser in which she added it, the app, and her recovery codes."""
    await world.register()
    browser = await world.sign_in()
    return browser, *await enrol(world, browser)


async def first_step(browser: httpx.AsyncClient, email: str = ADA, password: str = PASSWORD) -> None:
    """The right password, which is not enough."""
    answer = await browser.post(LOGIN, json={"email": email, "password": password})
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required"), answer.text


async def second_step(browser: httpx.AsyncClient, code: str) -> str:
    """`ok`, or the code of the refusal."""
    answer = await browser.post(SECOND, json={"code": code})
    return "ok" if answer.status_code == 200 else str(answer.json()["code"])
