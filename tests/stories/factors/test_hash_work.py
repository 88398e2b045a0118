"""Recovery codes are hashed like passwords, ten at once. So nobody has them hashed for a request that is refused."""

import asyncio
from collections import Counter

import pytest

from tests.harness.backends import Backend
from tests.harness.world import World, world_on
from tests.stories.attempts.test_login_attempts import CountingHasher
from tests.stories.factors.apps import CODES, CONFIRM, TOTP, confirm, enrol, prove, scan
from vestibule.model.limits import RateClass
from vestibule.web.map_reading import PAGES, ROUTES

PASSKEYS = "/api/users/me/factors/passkeys"
AS_COSTLY = {RateClass.SIGN_IN, RateClass.REGISTER, RateClass.MAIL}


class HashCounter(CountingHasher):
    """A real one that also counts what it hashes."""

    hashed = 0

    def hash(self, password: str) -> str:
        self.hashed += 1
        return super().hash(password)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CONFIRM, {"code": "000000"}),
        (CONFIRM, {"code": "no code"}),
        (CODES, {}),
        (PASSKEYS, {"credential": {"id": "x"}}),
    ],
    ids=str,
)
async def test_f32_what_is_refused_hashes_nothing(backend: Backend, path: str, body: dict[str, object]) -> None:
    """F32: neither before an app was begun, nor with a wrong code, nor for an account without a factor."""
    hasher = HashCounter()
    async with world_on(backend, hasher=hasher) as world:
        await world.register()
        browser, before = await world.sign_in(), hasher.hashed
        assert (await browser.post(path, json=body)).status_code in {400, 403, 404}
        await scan(world, browser)
        assert (await browser.post(path, json=body)).status_code in {400, 403, 404}
        assert hasher.hashed == before


async def test_f32_codes_are_hashed_with_the_first_factor_alone(backend: Backend) -> None:
    """F32: an app that replaces another needs none."""
    hasher = HashCounter()
    async with world_on(backend, hasher=hasher) as world:
        await world.register()
        browser, before = await world.sign_in(), hasher.hashed
        app, codes = await enrol(world, browser)
        assert hasher.hashed - before == len(codes)
        await prove(browser, app)
        again = await scan(world, browser)
        await confirm(browser, again.code())
        assert hasher.hashed - before == len(codes)


async def test_f32_they_are_hashed_ten_times_a_day(backend: Backend) -> None:
    """F32: by all ways together; the refusal says when to come back."""
    hasher = HashCounter()
    async with world_on(backend, hasher=hasher) as world:
        await world.register()
        browser, before = await world.sign_in(), hasher.hashed
        app, codes = await enrol(world, browser)
        await prove(browser, app)
        answers = Counter([(await browser.post(CODES)).status_code for _ in range(12)])
        assert answers == {200: 9, 429: 3}
        assert hasher.hashed - before == 10 * len(codes)
        assert (await browser.post(CODES)).headers["retry-after"] == "86400"
        assert (await browser.delete(TOTP)).status_code == 200
        again = await scan(world, browser)
        assert (await browser.post(CONFIRM, json={"code": again.code()})).status_code == 429
        assert hasher.hashed - before == 10 * len(codes)
        world.clock.advance(seconds=86_401)
        fresh = await world.sign_in()
        await enrol(world, fresh)


async def test_f32_at_once_too(racing_world: World) -> None:
    """F32: on PostgreSQL."""
    await racing_world.register()
    browser = await racing_world.sign_in()
    app, _ = await enrol(racing_world, browser)
    await prove(browser, app)
    answers = Counter(
        [answer.status_code for answer in await asyncio.gather(*(browser.post(CODES) for _ in range(30)))]
    )
    assert answers[200] <= 9
    assert answers[200] + answers[429] == 30


def test_whatever_hashes_is_limited_as_a_sign_in_is() -> None:
    """A hash takes the time of a sign-in, and ten that of ten."""
    classes = {line.path: line.limit for line in (*ROUTES, *PAGES) if line.hashes}
    assert {path: found for path, found in classes.items() if found not in AS_COSTLY} == {}
    assert classes[CODES] is RateClass.SIGN_IN
