"""A right password that leads no further is not counted as wrong, and resets no counter: only what is complete does."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import World, mandatory_verification, world_on
from tests.stories.factors.apps import ADA, LOGIN, PASSWORD, enrol
from vestibule.flows.delete_account import delete_my_account
from vestibule.flows.identify import identify
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import ReauthenticationRequired, WrongPassword
from vestibule.model.login_attempts import AttemptCounter
from vestibule.model.sessions import Device

ME, WRONG, NEW = "/api/users/me", "wrong horse", "battery staple"
Deed = Callable[[World, httpx.AsyncClient, str], Awaitable[str]]


async def failures(world: World) -> int:
    """How many wrong passwords are counted now, in all counters of the account."""
    limits = world.env.policy.login_attempts
    async with world.env.store.steps() as steps:
        account = await steps.accounts.with_email(ADA)
        assert account is not None
        devices = [AttemptCounter.of_device(account.id, place, limits) for place in range(limits.places)]
        counted = [
            await steps.login_attempts.count(each) for each in (AttemptCounter.of_others(account, ADA), *devices)
        ]
    return sum(each.failures for each in counted if each is not None)


def asking(method: str, path: str, member: str, **more: str) -> Deed:
    async def deed(_world: World, browser: httpx.AsyncClient, password: str) -> str:
        answer = await browser.request(method, path, json={member: password, **more})
        return str(answer.json().get("code", "ok"))

    return deed


async def delete(world: World, browser: httpx.AsyncClient, password: str) -> str:
    caller = await identify(world.env, browser.cookies["access_token"])
    try:
        await delete_my_account(world.env, caller, password, ClientInfo(Device("", "192.0.2.7")))
    except (ReauthenticationRequired, WrongPassword) as refused:
        return refused.code
    return "ok"


SIGN_IN = asking("POST", LOGIN, "password", email=ADA)
DEEDS: dict[str, Deed] = {
    "change the password": asking("PATCH", f"{ME}/password", "currentPassword", password=NEW, passwordConfirm=NEW),
    "change the email": asking("PATCH", f"{ME}/email", "currentPassword", email="new@example.com"),
    "step up": asking("POST", f"{ME}/step-up", "password"),
    "sign in": SIGN_IN,
}
INCOMPLETE = {**DEEDS, "delete": delete}


async def wrong_twice(world: World, browser: httpx.AsyncClient, deed: Deed) -> None:
    for _ in range(2):
        assert await deed(world, browser, WRONG) in {"wrong_password", "wrong_credentials"}
    assert await failures(world) == 2


@pytest.mark.parametrize("deed", INCOMPLETE)
async def test_without_the_second_factor_it_resets_nothing(world: World, deed: str) -> None:
    await world.register()
    browser = await world.sign_in()
    await enrol(world, browser)
    await wrong_twice(world, browser, INCOMPLETE[deed])
    said = "second_factor_required" if deed == "sign in" else "reauthentication_required"
    assert await INCOMPLETE[deed](world, browser, PASSWORD) == said
    assert await failures(world) == 2


async def test_without_a_verified_email_it_resets_nothing(backend: Backend) -> None:
    async with world_on(backend, mandatory_verification()) as world:
        await world.register()
        browser = await world.client()
        await wrong_twice(world, browser, SIGN_IN)
        assert await SIGN_IN(world, browser, PASSWORD) == "email_not_verified"
        assert await failures(world) == 2


@pytest.mark.parametrize("deed", DEEDS)
async def test_what_it_completes_resets_the_counters(world: World, deed: str) -> None:
    await world.register()
    browser = await world.sign_in()
    await wrong_twice(world, browser, DEEDS[deed])
    assert await DEEDS[deed](world, browser, PASSWORD) == "ok"
    assert await failures(world) == 0
