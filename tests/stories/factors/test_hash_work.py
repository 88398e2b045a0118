"""Recovery codes are hashed like passwords, ten at once. So nobody has them hashed for a request that is refused."""

import pytest

from tests.harness.backends import Backend
from tests.harness.world import world_on
from tests.stories.attempts.test_login_attempts import CountingHasher
from tests.stories.factors.apps import CODES, CONFIRM, confirm, enrol, prove, scan

PASSKEYS = "/api/users/me/factors/passkeys"


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
