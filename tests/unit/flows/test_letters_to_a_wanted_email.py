"""G19: what strangers ask for to an email leaves its owner the letters that confirm it; its mailbox is not flooded."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.unit.flows import DONE, ask_for_change, confirm, verify
from vestibule.model.letters import LetterKind
from vestibule.model.limits import LetterLimits
from vestibule.model.session_limits import SessionLimits

WANTED = "new@example.com"
LONG = SessionLimits(idle=timedelta(days=9), absolute=timedelta(days=30), refresh_grace=timedelta(seconds=10))
AS_SHIPPED = replace(
    POLICY,
    sessions=LONG,
    letters=LetterLimits.per_hour(3, 100_000, timedelta(minutes=5)),
)
SHARE, COMMON = 3, 12


@pytest.fixture
async def town(backend: Backend) -> AsyncIterator[World]:
    async with world_on(backend, AS_SHIPPED) as world:
        await world.register()
        yield world


async def ask(browser: httpx.AsyncClient, email: str = WANTED) -> int:
    assert (await browser.post("/api/auth/refresh")).status_code == 200
    return await ask_for_change(browser, email)


def arrived(world: World) -> int:
    return sum(letter.to == WANTED for letter in world.mailer.letters)


async def test_g19_whatever_strangers_ask_for_first_the_owner_gets_a_link_that_works(town: World) -> None:
    """G19: today and tomorrow, and however many strangers there are."""
    owner, strangers = await town.sign_in(), []
    for number in range(5):
        await town.register(f"mallory{number}@example.com")
        strangers.append(await town.sign_in(f"mallory{number}@example.com"))
    for _ in range(2):
        for _ in range(4):
            town.clock.advance(hours=3, seconds=1)
            for stranger in strangers:
                assert await ask(stranger) == 200
        for _ in range(SHARE):
            town.clock.advance(hours=3, seconds=1)
            assert await ask(strangers[0]) == 200
            await town.deliver()
            before = arrived(town)
            assert await ask(owner) == 200
            await town.deliver()
            assert arrived(town) == before + 1
    assert await confirm(owner, town.secret(LetterKind.CONFIRM_NEW_EMAIL)) == DONE


async def test_g19_no_mailbox_is_flooded_by_those_who_want_it(town: World) -> None:
    """G19: a few letters for each account in a day, and a dozen for all of them together."""
    await town.register("mallory@example.com")
    browsers = [await town.sign_in(), await town.sign_in("mallory@example.com")]
    for _ in range(47):
        town.clock.advance(minutes=30)
        for browser in browsers:
            assert await ask(browser) == 200
            await town.deliver()
    assert 2 * SHARE < arrived(town) <= 2 * SHARE + COMMON


async def test_g19_a_taken_email_is_counted_alike(town: World) -> None:
    """G19: so that the number of letters tells nobody whether it has an account."""
    await town.register(WANTED)
    assert await verify(town, town.secret(LetterKind.VERIFY_EMAIL)) == 200
    town.mailer.letters.clear()
    browser, sent = await town.sign_in(), []
    for email in (WANTED, "free@example.com"):
        for _ in range(5):
            town.clock.advance(minutes=6)
            assert await ask(browser, email) == 200
            await town.deliver()
        sent.append(sum(letter.to == email for letter in town.mailer.letters))
    assert sent[0] == sent[1] == SHARE
