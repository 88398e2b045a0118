"""Set up an authenticator app on the pages; its codes are by pyotp, which knows nothing of our own."""

import re

import httpx
import pyotp

from tests.harness.forms import csrf_in
from tests.harness.world import World

SECURITY = "/profile/security"
APP = f"{SECURITY}/authenticator"
CODES = f"{SECURITY}/recovery-codes"
_CODE = re.compile(r"\b[0-9]-[0-9a-z]{5}-[0-9a-z]{5}\b")


async def begin(client: httpx.AsyncClient) -> tuple[httpx.Response, pyotp.TOTP]:
    """Begin an app: the page that shows its key, and the app that scanned it."""
    begun = await client.post(f"{APP}/new", data={"csrf": csrf_in(await client.get(APP))})
    assert (begun.status_code, begun.headers["location"]) == (303, APP)
    page = await client.get(APP)
    key = re.findall(r'<code id="key">([A-Z2-7 ]+)</code>', page.text)[0]
    return page, pyotp.TOTP(key.replace(" ", ""))


async def turn_on(world: World, client: httpx.AsyncClient, **more: str) -> httpx.Response:
    """Set up an app; the answer to its code."""
    page, app = await begin(client)
    fields = {"csrf": csrf_in(page), "code": app.at(world.clock.now()), **more}
    return await client.post(APP, data=fields)


async def codes_shown(client: httpx.AsyncClient) -> list[str]:
    """The recovery codes that were just made."""
    return codes_in((await client.get(CODES)).text)


def codes_in(text: str) -> list[str]:
    """Every recovery code in a text."""
    return _CODE.findall(text)
