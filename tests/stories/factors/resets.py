"""An account with factors whose owner has lost them, or says so."""

from dataclasses import dataclass

import httpx

from tests.harness.world import BASE, World
from tests.stories.factors.apps import ADA, App, enrol
from tests.unit.flows import verify
from vestibule.flows.find_people import find_account
from vestibule.flows.reset_factors import begin_reset
from vestibule.model.accounts import Account
from vestibule.model.factor_resets import FactorReset
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE

KEEP = LetterKind.FACTOR_RESET_BEGUN
RESET = "/api/users/me/factors/reset"


@dataclass
class Owner:
    """Ada, whose email is verified: the browser in which she added her app, the app, and her recovery codes."""

    browser: httpx.AsyncClient
    app: App
    codes: list[str]


async def an_owner(world: World) -> Owner:
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    browser = await world.sign_in()
    owner = Owner(browser, *await enrol(world, browser))
    await world.deliver()
    world.mailer.letters.clear()
    return owner


async def account(world: World) -> Account:
    found = await find_account(world.env, ADA)
    assert found is not None
    return found


async def by_operator(world: World) -> FactorReset:
    """A reset that an operator begins; its letter has been delivered."""
    reset = await begin_reset(world.env, COMMAND_LINE, await account(world))
    assert isinstance(reset, FactorReset), reset
    await world.deliver()
    return reset


async def under_way(world: World) -> FactorReset | None:
    async with world.env.store.reading() as read:
        return await read.factor_resets.of((await account(world)).id)


async def has_factors(world: World) -> bool:
    async with world.env.store.reading() as read:
        return (await read.factors.of((await account(world)).id)).needed


async def open_link(world: World, method: str, secret: str | None = None) -> httpx.Response:
    """Open the page of the newest link that keeps factors, in a browser that knows nothing."""
    link = f"/keepfactors/{secret or world.secret(KEEP)}"
    return await (await world.client(origin=BASE)).request(method, link)


async def kinds_of_events(world: World) -> list[str]:
    """The kinds of all events of Ada's account, the latest first."""
    async with world.env.store.reading() as read:
        return [event.kind.value for event in await read.events.of_account((await account(world)).id, 100)]


def told(world: World) -> list[LetterKind]:
    """The kinds of letters that were delivered."""
    return [letter.kind for letter in world.mailer.letters]
