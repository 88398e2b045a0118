"""Who is at the pages."""

import httpx

from tests.harness.world import World

FILES = ("/profile/data", "/profile/security/recovery-codes", "/profile/security/recovery-codes/file")
"""Under the account's pages, but no pages by themselves: to be stored, or shown once."""


async def ada(world: World) -> httpx.AsyncClient:
    """Somebody who is signed in, at a page of ours."""
    await world.register()
    return await ada_again(world)


async def ada_again(world: World) -> httpx.AsyncClient:
    """The same account in another browser."""
    client = await world.sign_in()
    del client.headers["Origin"]
    client.headers["Sec-Fetch-Site"] = "same-origin"
    return client


async def session_of(client: httpx.AsyncClient) -> str:
    return (await client.get("/api/auth/verify")).headers["vestibule-session"]
