"""Guessing a second factor with the password known: a budget of its own, which nothing but a completed step resets."""

from collections import Counter

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.rounds import rounds
from tests.harness.statements import statements
from tests.harness.world import World, world_on
from tests.stories.attempts.test_login_attempts import CountingHasher, stranger
from tests.stories.factors.apps import ADA, PASSWORD, enrolled, first_step, second_step
from tests.stories.factors.test_second_step import reset_password
from vestibule.flows.clean_up import clean_up
from vestibule.flows.find_people import find_account
from vestibule.model.factor_attempts import SECOND_FACTOR_LIMITS
from vestibule.model.letters import LetterKind
from vestibule.model.login_attempts import AttemptCounter

GUESSES = rounds(1000, suite=60)
LIMIT = SECOND_FACTOR_LIMITS.free
READS_THE_SECRET = "totps.sealed_secret"


async def guess(world: World, number: int, code: str, password: str = PASSWORD) -> str:
    """From a network of its own, after the right password; what was answered."""
    async with await stranger(world, f"198.51.{number // 250}.{number % 250}") as client:
        await first_step(client, password=password)
        return await second_step(client, code)


def wrong_codes(right: set[str]) -> list[str]:
    return [code for number in range(GUESSES + 10) if (code := f"{number:06}") not in right]


async def test_f7_a_thousand_guesses_from_as_many_networks_and_ten_are_checked(world: World) -> None:
    """F7: with the right password between each; afterwards the right code is refused there too."""
    mine, app, _ = await enrolled(world)
    codes = wrong_codes({app.code(), app.code(-1), app.code(1)})
    with statements() as asked:
        answers = Counter([await guess(world, number, codes[number]) for number in range(GUESSES)])
    assert answers == {"wrong_code": LIMIT, "second_factor_paused": GUESSES - LIMIT}
    assert len([sql for sql in asked if READS_THE_SECRET in sql]) == LIMIT
    assert await guess(world, GUESSES, app.next_code()) == "second_factor_paused"
    await first_step(mine)
    assert await second_step(mine, app.code()) == "ok", "a known device has a counter of its own"
    assert await guess(world, GUESSES, app.next_code()) == "second_factor_paused", "which is not the strangers'"


async def test_f7_a_code_that_is_none_costs_no_hash(backend: Backend) -> None:
    """F7: what looks like no recovery code is counted with the codes of an app, and nothing is hashed for it."""
    hasher = CountingHasher()
    async with world_on(backend, hasher=hasher) as world:
        _, app, _ = await enrolled(world)
        before = hasher.checked
        tried = ["nonsense", "12", "0-0000-00000", "000000"]
        assert {await guess(world, number, code) for number, code in enumerate(tried)} == {"wrong_code"}
        for number in range(LIMIT - len(tried)):
            assert await guess(world, number, "x") == "wrong_code"
        assert await guess(world, 100, app.next_code()) == "second_factor_paused"
        assert hasher.checked - before == LIMIT + 1, "the passwords"


@pytest.mark.parametrize("known", [False, True])
async def test_f7_neither_a_reset_nor_the_clean_up_resets_the_budget(world: World, known: bool) -> None:
    """F7: a completed second step does, of those counters that it went by."""
    mine, app, _ = await enrolled(world)
    verify = f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}"
    assert (await mine.get(verify)).status_code == 200
    for number in range(LIMIT):
        assert await guess(world, number, "x") == "wrong_code"
    await reset_password(world, await world.client())
    world.clock.advance(hours=23)
    await clean_up(world.env)
    assert await guess(world, 1, app.next_code(), "battery staple") == "second_factor_paused"
    browser = mine if known else await world.client()
    await first_step(browser, password="battery staple")
    assert await second_step(browser, app.code()) == "second_factor_paused", "the reset made no device known"


async def test_f7_a_completed_step_resets_what_it_went_by(world: World) -> None:
    _, app, _ = await enrolled(world)
    for _ in range(3):
        for number in range(LIMIT - 1):
            assert await guess(world, number, "x") == "wrong_code"
        assert await guess(world, LIMIT, app.next_code()) == "ok"


async def test_f7_the_password_s_counters_are_reset_by_a_complete_sign_in_alone(world: World) -> None:
    """F7: the right password neither resets them nor counts as a wrong one."""
    _, app, _ = await enrolled(world)
    browser = await stranger(world, "203.0.113.9")
    for _ in range(3):
        await browser.post("/api/auth/login", json={"email": ADA, "password": "wrong horse"})
    assert await counted(world) == 3
    for _ in range(2):
        await first_step(browser)
    assert await counted(world) == 3
    assert await second_step(browser, app.next_code()) == "ok"
    assert await counted(world) == 0
    await browser.aclose()


async def counted(world: World) -> int:
    """Wrong passwords in a row, from devices that are not known."""
    async with world.env.store.reading() as read:
        count = await read.login_attempts.count(AttemptCounter.of_others(None, ADA))
    return count.failures if count else 0


async def test_f7_refused_codes_are_events_and_beyond_the_budget_one_in_a_minute(world: World) -> None:
    await enrolled(world)
    client: httpx.AsyncClient = await world.client()
    for _ in range(3 * LIMIT):
        await first_step(client)
        await second_step(client, "x")
    account = await find_account(world.env, ADA)
    assert account is not None
    async with world.env.store.reading() as read:
        events = await read.events.of_account(account.id, 100)
    refused = [event for event in events if event.kind == "second_factor_refused"]
    assert len(refused) == LIMIT + 1
    assert [event.detail.get("paused") for event in refused] == ["true", "true", *[None] * (LIMIT - 1)]


async def test_f7_a_code_that_was_used_is_an_event(world: World) -> None:
    """F7: at a sign-in and at a step-up, of either kind: somebody may have looked over the owner's shoulder."""
    mine, app, codes = await enrolled(world)
    for code, refusal in ((app.next_code(), "code_used"), (codes[0], "wrong_code")):
        await first_step(mine)
        assert await second_step(mine, code) == "ok"
        assert await guess(world, 1, code) == refusal
        assert (await mine.post("/api/users/me/step-up", json={"code": code})).json()["code"] == refusal
    account = await find_account(world.env, ADA)
    assert account is not None
    async with world.env.store.reading() as read:
        events = await read.events.of_account(account.id, 100)
    refused = [event.detail.get("why") for event in events if event.kind == "second_factor_refused"]
    assert refused == [None, None, "used", "used"], "a used recovery code is like one that never was"
