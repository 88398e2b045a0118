"""Somebody who has the password begins sign-ins all the time: the owner's, which waits for its second step, stays."""

import asyncio

import httpx
import pytest
from sqlalchemy import func, select

from tests.harness.world import World
from tests.stories.attempts.test_login_attempts import stranger
from tests.stories.factors.apps import enrolled, first_step, second_step
from vestibule.model.pending_sign_ins import OF_ACCOUNT
from vestibule.storage.sql.schema import pending_sign_ins


async def thief(world: World, network: int) -> httpx.AsyncClient:
    return await stranger(world, f"198.51.100.{network}")


async def waiting(world: World) -> int:
    async with world.engines.sqlalchemy_reading() as connection:
        return int((await connection.execute(select(func.count()).select_from(pending_sign_ins))).scalar_one())


@pytest.mark.parametrize(("known", "networks"), [(False, 1), (False, OF_ACCOUNT - 2), (True, 2 * OF_ACCOUNT)])
async def test_f37_a_flood_ends_no_sign_in_of_the_owner(world: World, known: bool, networks: int) -> None:
    """F37: on a new device in another network; and on a known one, from wherever the flood comes."""
    mine, app, _ = await enrolled(world)
    browser = mine if known else await world.client()
    await first_step(browser)
    for number in range(2 * OF_ACCOUNT):
        world.clock.advance(seconds=1)
        async with await thief(world, number % networks) as client:
            await first_step(client)
    assert await waiting(world) == OF_ACCOUNT
    assert await second_step(browser, app.next_code()) == "ok"


@pytest.mark.parametrize(
    ("mine", "thiefs"),
    [
        ("2001:db8:1:1::5", "2001:db8:bad:{:x}::1"),
        ("192.0.2.5", "2001:db8:bad:{:x}::1"),
        ("2001:db8:bad:ffff::5", "2001:db8:bad:1::{:x}"),
    ],
    ids=["another_48", "ipv4", "the_same_48"],
)
async def test_f37_nor_does_one_from_all_networks_of_one_customer(world: World, mine: str, thiefs: str) -> None:
    """F37: a customer has a whole /48; in the owner's own /48, one /64."""
    _, app, _ = await enrolled(world)
    browser = await stranger(world, mine)
    await first_step(browser)
    for number in range(2 * OF_ACCOUNT):
        world.clock.advance(seconds=1)
        async with await stranger(world, thiefs.format(number)) as client:
            await first_step(client)
    assert await waiting(world) == OF_ACCOUNT
    assert await second_step(browser, app.next_code()) == "ok"


async def test_f37_nor_does_one_at_the_same_moment(racing_world: World) -> None:
    """F37: on PostgreSQL."""
    mine, app, _ = await enrolled(racing_world)
    other = await racing_world.client()
    thieves = [await thief(racing_world, number % 3) for number in range(2 * OF_ACCOUNT)]
    await asyncio.gather(first_step(mine), first_step(other), *map(first_step, thieves))
    for browser in (mine, other):
        assert await second_step(browser, app.next_code()) == "ok"
    for client in thieves:
        await client.aclose()
