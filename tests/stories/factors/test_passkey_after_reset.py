"""A stranger's passkey is on the account, and the owner resets the password by mail. The passkey alone signs in no
more, so the stranger cancels no reset of factors. And a mailbox alone gets past no factor (decision 0062).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.harness import dump
from tests.harness.authenticator import Authenticator
from tests.harness.backends import Backend
from tests.harness.world import BASE, POLICY, World, world_on
from tests.stories import passkeys
from tests.stories.factors.apps import ADA, LOGIN, PASSWORD, first_step
from tests.stories.factors.not_me import DAYS, chosen, links, press, presses, stored
from tests.stories.factors.resets import by_operator, has_factors, under_way
from tests.stories.factors.test_undone import adds_passkey_by_page, stolen, undo
from tests.stories.passkeys.test_second_step import second_step
from tests.unit.flows import ask_for_reset, reset, verify
from tests.unit.web.test_passkey_form import AT
from vestibule.model.letters import LetterKind

NEW, NEWER = "battery staple", "horse battery"
LOST = "/api/auth/login/second-factor/lost"
WAIT = timedelta(days=7)
DAY = 24 * 3600


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    """Where people may begin a reset of their factors by themselves, after a week."""
    async with world_on(backend, replace(POLICY, factor_reset_wait=WAIT)) as world:
        yield world


async def a_stranger_s(world: World) -> tuple[httpx.AsyncClient, Authenticator]:
    """A stranger has registered Ada's email. She verified it in another browser; then the stranger added a passkey."""
    await world.register()
    browser, key = await world.sign_in(), Authenticator()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    assert (await passkeys.add(browser, key)).status_code == 201
    return browser, key


async def a_thief_s(world: World) -> tuple[httpx.AsyncClient, Authenticator]:
    """A thief has added the account's first factor, and changed the email four days later; the owner undid that."""
    story = await stolen(world, adds_passkey_by_page, "long before", None)
    await undo(world)
    assert await has_factors(world)
    return story.browser, story.keys[0]


async def resets(world: World, password: str = NEW) -> None:
    """The owner resets the password by mail."""
    await ask_for_reset(world)
    await world.deliver()
    assert await reset(world, world.secret(LetterKind.RESET_PASSWORD), password) == 200


async def asks_operator(world: World) -> timedelta:
    """An operator begins the reset; the wait."""
    begun = await by_operator(world)
    return begun.due_at - begun.asked_at


async def reports_lost(world: World) -> timedelta:
    """The owner begins it, with the new password and a mailed link; the wait."""
    await first_step(browser := await world.client(origin=BASE), password=NEW)
    assert (await browser.post(LOST)).status_code == 200
    await world.deliver()
    assert (await browser.post(f"/resetfactors/{world.secret(LetterKind.FACTORS_LOST)}")).status_code == 303
    await world.deliver()
    return WAIT


async def code_of(world: World, key: Authenticator) -> str:
    """What a sign-in with the passkey alone is answered with."""
    answer = await passkeys.sign_in(await world.client(), key)
    return str(answer.json().get("code", "ok"))


async def nothing_of(world: World, browser: httpx.AsyncClient, key: Authenticator) -> None:
    """Whoever knows the old password, and has the passkey and the old session, is signed in by none of them."""
    assert await code_of(world, key) == "passkey_needs_password"
    assert (await browser.get("/api/users/me")).status_code == 401
    assert (await browser.post("/api/auth/refresh")).status_code == 403
    body = {"email": ADA, "password": PASSWORD}
    assert (await (await world.client()).post(LOGIN, json=body)).status_code == 400


Stranger = Callable[[World], Awaitable[tuple[httpx.AsyncClient, Authenticator]]]
STRANGERS: tuple[Stranger, ...] = (a_stranger_s, a_thief_s)


@pytest.mark.any_engine
@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("begin", [asks_operator, reports_lost])
async def test_f72_no_stranger_cancels_a_reset_after_a_new_password(
    world: World, stranger: Stranger, begin: Callable[[World], Awaitable[timedelta]]
) -> None:
    """F72: after the three days of the link too; when the wait is over the owner is in, and nobody else."""
    browser, key = await stranger(world)
    world.clock.advance(seconds=(DAYS + 1) * DAY)
    await resets(world)
    wait = await begin(world)
    await nothing_of(world, browser, key)
    assert await under_way(world) is not None
    world.clock.advance(seconds=wait.total_seconds())
    await world.sign_in(ADA, NEW)
    assert not await has_factors(world)
    assert await code_of(world, key) == "passkey_unknown"


async def test_f72_a_thief_is_out_from_the_moment_the_change_of_email_is_undone(world: World) -> None:
    """F72: before the owner has chosen a new password."""
    browser, key = await a_thief_s(world)
    await nothing_of(world, browser, key)


async def test_f72_within_three_days_the_link_throws_the_stranger_out_wholly(world: World) -> None:
    """F72: "It was not me" leaves no factor, session, password, known device, waiting sign-in or link."""
    browser, key = await a_stranger_s(world)
    await ask_for_reset(world)
    await first_step(await world.client())
    (secret,) = await links(world)
    mailed = world.secret(LetterKind.RESET_PASSWORD)
    answer = await press(world, secret)
    tables = await dump.tables(world)
    gone = ("passkeys", "totps", "recovery_codes", "pending_sign_ins", "known_devices", "factor_resets")
    assert {table for table in gone if tables[table]} == set()
    assert await reset(world, mailed) == 403
    assert (await browser.get("/api/users/me")).status_code == 401
    assert (await (await world.client()).post(LOGIN, json={"email": ADA, "password": PASSWORD})).status_code == 400
    await chosen(world, answer, NEW)
    await world.sign_in(ADA, NEW)
    assert await code_of(world, key) == "passkey_unknown"


async def test_f73_the_mailbox_alone_gets_past_no_factor(world: World) -> None:
    """F73: four days later neither the link nor a new password removes it, and the owner's answer to somebody who reads
    the mailbox ends the wait that they began.
    """
    _, key = await a_stranger_s(world)  # this time it is Ada's own
    (link,) = await links(world)
    world.clock.advance(seconds=(DAYS + 1) * DAY)
    assert await presses(world, link) == "dead"
    await resets(world)
    await first_step(await world.client(), password=NEW)
    await reports_lost(world)
    assert await code_of(world, key) == "passkey_needs_password"
    await resets(world, NEWER)
    assert await under_way(world) is None, "a new password ends what the earlier one began"
    await first_step(hers := await world.client(), password=NEWER)
    assert (await second_step(hers, key)).status_code == 200
    assert (await stored(world)).passkeys == 1
    assert await code_of(world, key) == "ok", "it signs in alone again"


async def test_f73_used_beside_the_new_password_a_factor_cancels_an_operator_s_reset(world: World) -> None:
    _, key = await a_stranger_s(world)
    await resets(world)
    await by_operator(world)
    await first_step(browser := await world.client(), password=NEW)
    assert (await second_step(browser, key)).status_code == 200
    assert await under_way(world) is None


async def test_f72_each_passkey_has_to_be_used_beside_the_password(world: World) -> None:
    """F72: the owner's own use gives a stranger's passkey nothing; one that is added later needs no password."""
    _, strangers = await a_stranger_s(world)
    await passkeys.store_passkey(world, own := Authenticator())
    await resets(world)
    await first_step(browser := await world.client(), password=NEW)
    assert (await second_step(browser, own)).status_code == 200
    assert (await passkeys.add(browser, new := Authenticator())).status_code == 201
    assert [await code_of(world, key) for key in (own, new, strangers)] == ["ok", "ok", "passkey_needs_password"]


async def test_f72_beside_the_reset_no_session_of_the_passkey_is_left(world: World) -> None:
    """F72: whichever comes first."""
    _, key = await a_stranger_s(world)
    await ask_for_reset(world)
    await world.deliver()
    secret = world.secret(LetterKind.RESET_PASSWORD)
    browsers = [await world.client() for _ in range(8)]
    answers = [key.get(await passkeys.ask(browser)) for browser in browsers]
    tries = (
        browser.post(passkeys.VERIFY, json={"credential": answer})
        for browser, answer in zip(browsers, answers, strict=True)
    )
    *_, done = await asyncio.gather(*tries, reset(world, secret))
    assert done == 200
    assert {(await browser.get("/api/users/me")).status_code for browser in browsers} == {401}
    assert await code_of(world, key) == "passkey_needs_password"


async def test_f72_the_page_says_what_to_do(world: World) -> None:
    _, key = await a_stranger_s(world)
    await resets(world)
    browser = await world.client(None)
    answer = key.get(await passkeys.ask(browser))
    page = await browser.post(AT, data={"credential": json.dumps(answer)})
    assert page.status_code == 403
    assert "Sign in with the new password first, then use this passkey." in page.text
