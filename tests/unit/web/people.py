"""Who is at the pages, and what is read from them."""

import re

import httpx

from tests.harness.world import World


def token_in(page: httpx.Response) -> str:
    """What the forms of a page carry."""
    return re.findall(r'name="csrf" value="([0-9a-f]{96})"', page.text)[0]


async def ada(world: World) -> httpx.AsyncClient:
    """Somebody who is signed in, at a page of ours."""
    await world.register()
    client = await world.sign_in()
    del client.headers["Origin"]
    client.headers["Sec-Fetch-Site"] = "same-origin"
    return client


async def session_of(client: httpx.AsyncClient) -> str:
    return (await client.get("/api/auth/verify")).headers["vestibule-session"]
