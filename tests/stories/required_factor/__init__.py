"""A second factor that accounts must have: none gets a token without (decision 0049)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pyotp

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.factors.apps import ADA, LOGIN, PASSWORD, App
from vestibule.model.factors import SecondFactorRule

REQUIRED = replace(POLICY, second_factor=SecondFactorRule.REQUIRED)
ENROL = f"{LOGIN}/enrol"
TOTP, CONFIRM = f"{ENROL}/totp", f"{ENROL}/totp/confirm"
PASSKEY, PASSKEY_OPTIONS = f"{ENROL}/passkey", f"{ENROL}/passkey/options"
TOKENS = {"access_token", "refresh_token", "logged_in"}
Browser = httpx.AsyncClient


@asynccontextmanager
async def requiring(backend: Backend, rule: SecondFactorRule = SecondFactorRule.REQUIRED) -> AsyncIterator[World]:
    """A Vestibule with this rule, where Ada has registered."""
    async with world_on(backend, replace(POLICY, second_factor=rule)) as world:
        await world.register()
        yield world


def switch(world: World, rule: SecondFactorRule) -> None:
    """Start the server again with another rule."""
    object.__setattr__(world.env, "policy", replace(world.env.policy, second_factor=rule))


async def asked_to_enrol(world: World, email: str = ADA, password: str = PASSWORD) -> Browser:
    """A browser where the right password was typed, for an account that has no factor."""
    browser = await world.client()
    answer = await browser.post(LOGIN, json={"email": email, "password": password})
    assert (answer.status_code, code_of(answer)) == (403, "second_factor_enrolment_required")
    return browser


async def scan(world: World, browser: Browser) -> App:
    """Begin an app for the sign-in that waits in this browser."""
    answer = await browser.post(TOTP)
    assert answer.status_code == 200, answer.text
    scanned = pyotp.parse_uri(answer.json()["data"]["uri"])
    assert isinstance(scanned, pyotp.TOTP)
    return App(scanned, world.clock)


async def enrolled(world: World, email: str = ADA, password: str = PASSWORD) -> tuple[Browser, App, list[str]]:
    """A browser that signed in and set up an app on the way, the app, and the recovery codes."""
    browser = await asked_to_enrol(world, email, password)
    app = await scan(world, browser)
    answer = await browser.post(CONFIRM, json={"code": app.code()})
    assert answer.status_code == 200, answer.text
    return browser, app, answer.json()["recovery_codes"]


def code_of(answer: httpx.Response) -> Any:
    """The code of a refusal, or `ok`."""
    return "ok" if answer.is_success else answer.json()["code"]
