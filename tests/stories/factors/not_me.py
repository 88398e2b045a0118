"""Somebody else adds factors to Ada's account, and Ada opens the links in the letters about them."""

from collections.abc import Sequence

import httpx

from tests.harness.world import BASE, World
from tests.stories.factors.resets import account
from vestibule.model.factors import AccountFactors
from vestibule.model.letters import LetterKind

ADDED = LetterKind.FACTOR_ADDED
DAYS = 3


async def links(world: World) -> list[str]:
    """The secrets of all links that remove a new factor, the latest last."""
    await world.deliver()
    return [letter.link.rpartition("/")[2] for letter in world.mailer.letters if letter.kind is ADDED]


async def press(world: World, secret: str, method: str = "POST") -> httpx.Response:
    """Open the page of a link, or press its button, in a browser that knows nothing."""
    return await (await world.client(origin=BASE)).request(method, f"/removefactor/{secret}")


async def presses(world: World, secret: str) -> str:
    """`removed`, or `dead`; the secret of the link for a new password is lost."""
    answer = await press(world, secret)
    return {303: "removed", 403: "dead"}[answer.status_code]


async def chosen(world: World, answer: httpx.Response, password: str) -> None:
    """Choose a new password on the page to which the button has led."""
    browser, page = await world.client(origin=BASE), answer.headers["location"]
    assert "The new way to sign in was removed" in (await browser.get(page)).text
    done = await browser.post(page.partition("?")[0], data={"password": password})
    assert done.headers["location"] == "/login?notice=password_reset", done.text


async def stored(world: World) -> AccountFactors:
    async with world.env.store.reading() as read:
        return await read.factors.of((await account(world)).id)


async def letter_texts(world: World, kind: LetterKind) -> Sequence[str]:
    """Both parts of the newest letter of this kind."""
    await world.deliver()
    newest = max(number for number, letter in enumerate(world.mailer.letters) if letter.kind is kind)
    parts = world.mailer.messages[newest].walk()
    return [str(part.get_content()) for part in parts if part.get_content_maintype() == "text"]
