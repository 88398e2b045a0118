"""Flows that no single request shows whole; and what mailed people do in them."""

import httpx

from tests.harness.world import World

ADDRESS = "ada@example.com"
PASSWORD = "correct horse"
NEW_PASSWORD = "battery staple"
DONE = 303  # what a page answers to a click that did something


def twice(password: str) -> dict[str, str]:
    """A new password, as it is typed."""
    return {"password": password, "passwordConfirm": password}


async def forget(world: World, address: str = ADDRESS) -> httpx.Response:
    """Somebody has forgotten the password."""
    return await (await world.client()).post("/api/auth/forgotpassword", json={"email": address})


async def reset(world: World, secret: str, password: str = NEW_PASSWORD) -> int:
    """The status of setting a new password with a mailed secret."""
    answer = await (await world.client()).patch(f"/api/auth/resetpassword/{secret}", json=twice(password))
    return answer.status_code


async def verify(world: World, secret: str) -> int:
    """The status of proving an address."""
    return (await (await world.client()).get(f"/api/auth/verifyemail/{secret}")).status_code


async def ask_for_change(browser: httpx.AsyncClient, address: str, password: str = PASSWORD) -> int:
    """The status of asking for another address."""
    body = {"currentPassword": password, "email": address}
    return (await browser.patch("/api/users/me/email", json=body)).status_code


async def click(world: World, path: str) -> int:
    """The status of pressing the button on a page that a letter leads to: `DONE`, or a refusal."""
    return (await (await world.client(origin="http://localhost:8000")).post(path)).status_code


async def sign_in_status(world: World, address: str = ADDRESS, password: str = PASSWORD) -> int:
    """The status of signing in."""
    body = {"email": address, "password": password}
    return (await (await world.client()).post("/api/auth/login", json=body)).status_code
