"""An account with a second factor needs that factor for what could harm its owner, and a step-up takes it."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness.world import World
from tests.stories.factors.apps import (
    CODES,
    CONFIRM,
    PASSWORD,
    TOTP,
    enrol,
    enrolled,
    listed,
)
from tests.stories.step_up.test_tokens import access_of
from vestibule.flows.delete_account import delete_my_account
from vestibule.flows.identify import identify
from vestibule.flows.my_data import my_data
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import ReauthenticationRequired
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.sessions import Device
from vestibule.protocol.authentication import Level

STEP_UP, NEW = "/api/users/me/step-up", "battery staple"
CLIENT_INFO = ClientInfo(Device("a browser", "192.0.2.7"))
Deed = Callable[[World, httpx.AsyncClient], Awaitable[str]]


async def step_up(browser: httpx.AsyncClient, **sent: str) -> str:
    """`ok`, or the code of the refusal."""
    return said(await browser.post(STEP_UP, json=sent))


def said(answer: httpx.Response) -> str:
    return "ok" if answer.status_code == 200 else str(answer.json()["code"])


def asking(method: str, path: str, **body: object) -> Deed:
    async def deed(world: World, browser: httpx.AsyncClient) -> str:
        return said(await browser.request(method, path, json=body or None))

    return deed


def by_flow(act: Callable[..., Awaitable[object]], *more: object) -> Deed:
    async def deed(world: World, browser: httpx.AsyncClient) -> str:
        caller = await identify(world.env, browser.cookies["access_token"])
        try:
            await act(world.env, caller, *more)
        except ReauthenticationRequired as refused:
            return refused.code
        return "ok"

    return deed


TWICE = {"currentPassword": PASSWORD, "password": NEW, "passwordConfirm": NEW}
DEEDS: dict[str, Deed] = {
    "add an app": asking("POST", TOTP),
    "remove the app": asking("DELETE", TOTP),
    "make recovery codes": asking("POST", CODES),
    "end other sessions": asking("DELETE", "/api/users/me/sessions"),
    "change the email": asking("PATCH", "/api/users/me/email", currentPassword=PASSWORD, email="new@example.com"),
    "change the password": asking("PATCH", "/api/users/me/password", **TWICE),
    "export": by_flow(my_data),
    "delete": by_flow(delete_my_account, PASSWORD, CLIENT_INFO),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_f25_the_password_alone_is_not_enough_beside_a_second_factor(world: World, deed: str) -> None:
    """F25: neither in the request nor as a step-up; a recent second factor is."""
    browser, app, _ = await enrolled(world)
    assert access_of(world, browser).level is Level.ONE_FACTOR
    assert await DEEDS[deed](world, browser) == "reauthentication_required"
    refused = await browser.post(STEP_UP, json={"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
    assert refused.json()["message"] == "Use your second factor to do this, one factor is not enough for this account"
    assert (refused.json()["satisfied_by"], refused.json()["max_age"]) == (["totp", "recovery_code"], 300)
    assert await step_up(browser, code=app.next_code()) == "ok"
    world.clock.advance(seconds=301)
    assert await DEEDS[deed](world, browser) == "reauthentication_required"
    assert await step_up(browser, code=app.code()) == "ok"
    assert await DEEDS[deed](world, browser) == "ok"


async def test_f28_a_new_password_keeps_the_level_and_the_time_of_the_token(world: World) -> None:
    """F28: a password proves no second factor anew, and takes none away."""
    browser, app, _ = await enrolled(world)
    assert await step_up(browser, code=app.next_code()) == "ok"
    before = access_of(world, browser)
    world.clock.advance(seconds=200)
    assert await DEEDS["change the password"](world, browser) == "ok"
    after = access_of(world, browser)
    assert after.session_id != before.session_id
    assert (after.level, after.methods, after.authenticated_at) == (
        before.level,
        before.methods,
        before.authenticated_at,
    )


async def test_f29_nobody_adds_a_factor_in_a_borrowed_browser(world: World) -> None:
    """F29: which its owner left open. After a step-up the owner is told, by letter and event."""
    await world.register()
    await (await world.client()).get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    browser = await world.sign_in()
    world.clock.advance(minutes=6)
    for method, path in (("POST", TOTP), ("POST", CONFIRM), ("POST", CODES)):
        refused = await browser.request(method, path, json={"code": "123456"})
        assert (refused.status_code, refused.json()["satisfied_by"]) == (403, ["password"])
    assert await step_up(browser, password="wrong horse") == "wrong_password"
    assert await step_up(browser, code="123456") == "wrong_code"
    assert await listed(browser) == {"totp": None, "recovery_codes_left": 0, "reset": None}
    assert await step_up(browser, password=PASSWORD) == "ok"
    await enrol(world, browser)
    await world.deliver()
    assert LetterKind.FACTOR_ADDED in {letter.kind for letter in world.mailer.letters}
    account = (await identify(world.env, browser.cookies["access_token"])).account
    async with world.env.store.reading() as read:
        kinds = [event.kind for event in await read.events.of_account(account.id, 20)]
    assert [kind for kind in kinds if kind in {EventKind.FACTOR_ADDED, EventKind.STEPPED_UP}] == [
        EventKind.FACTOR_ADDED,
        EventKind.STEPPED_UP,
    ]
    assert EventKind.SIGN_IN_REFUSED in kinds
    assert said(await browser.post(TOTP)) == "reauthentication_required", "another one needs the first"
