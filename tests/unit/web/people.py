"""Who is at the pages."""

import httpx

from tests.harness.world import World


async def ada(world: World) -> httpx.AsyncClient:
    """Somebody who is signed in, at a page of ours."""
    await world.register()
    client = await world.sign_in()
    del client.headers["Origin"]
    client.headers["Sec-Fetch-Site"] = "same-origin"
    return client


async def session_of(client: httpx.AsyncClient) -> str:
    return (await client.get("/api/auth/verify")).headers["vestibule-session"]
