"""Find people: by email, name or id; every page together are everybody, nobody twice."""

import pytest

from tests.harness.world import World
from tests.unit.storage import an_account, stored_account
from vestibule.flows.find_people import PEOPLE_AT_ONCE, find_people
from vestibule.model.account_search import Position


async def fill(world: World) -> None:
    """Adas by email, by name, and by both."""
    for number in range(4):
        await stored_account(world.env.store, email=f"ada{number}@example.com", name="Ada")
        await stored_account(world.env.store, email=f"somebody{number}@example.com", name=f"ADA {number}")
        await stored_account(world.env.store, email=f"bob{number}@example.com", name="Bob")


async def found(world: World, typed: str, most: int = PEOPLE_AT_ONCE) -> list[str]:
    """The emails of all pages, each begun by the cursor of the one before."""
    emails: list[str] = []
    start: Position | None = None
    while True:
        page = await find_people(world.env, typed, start, most)
        assert len(page.accounts) <= most
        emails += [account.email for account in page.accounts]
        if page.next is None:
            return emails
        start = Position.of_cursor(page.next.to_cursor())


ADAS = [f"ada{n}@example.com" for n in range(4)] + [f"somebody{n}@example.com" for n in range(4)]


@pytest.mark.parametrize("most", [1, 3, 5, 50, 10_000])
async def test_o40_all_pages_together_have_everybody_once(world: World, most: int) -> None:
    await fill(world)
    assert await found(world, " aDa ", most) == ADAS
    assert await found(world, "ADA2@Example.com", most) == ["ada2@example.com"]
    assert await found(world, "zoe", most) == []
    assert len(await found(world, "", most)) == 12


async def test_o40_a_page_has_fifty_however_many_are_wanted(world: World) -> None:
    people = [an_account(email=f"{number}@example.com") for number in range(PEOPLE_AT_ONCE + 1)]
    async with world.env.store.transaction() as tx:
        assert len(await tx.accounts.add_missing(people)) == len(people)
    page = await find_people(world.env, "", None, 10_000)
    assert (len(page.accounts), page.next is None) == (PEOPLE_AT_ONCE, False)


async def test_o40_a_whole_id_finds_its_account_alone(world: World) -> None:
    ada = await stored_account(world.env.store)
    assert await found(world, ada.id) == [ada.email]
    assert await found(world, ada.id[:-1]) == []


@pytest.mark.parametrize(
    "typed", ["a\0da", "ada\udcff", "a" * 256, "ada@" + "a" * 300, "'; DROP TABLE accounts; --", "\\"]
)
async def test_o40_what_nobody_is_called_finds_nobody(world: World, typed: str) -> None:
    await fill(world)
    assert await found(world, typed) == []
    assert len(await found(world, "")) == 12
