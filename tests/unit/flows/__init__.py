"""Flows that no single request shows whole; and what mailed people do in them."""

import re

import httpx

from tests.harness.world import World
from vestibule.crypto.entropy import new_id
from vestibule.flows.change_email import confirm_change
from vestibule.flows.identify import Caller
from vestibule.model.errors import Refusal
from vestibule.model.sessions import Device, begin

EMAIL = "ada@example.com"
PASSWORD = "correct horse"
NEW_PASSWORD = "battery staple"
DONE = 303  # what a page answers to a click that did something


def twice(password: str) -> dict[str, str]:
    """A new password, as it is typed."""
    return {"password": password, "passwordConfirm": password}


async def ask_for_reset(world: World, email: str = EMAIL) -> httpx.Response:
    """Somebody has forgotten the password."""
    return await (await world.client()).post("/api/auth/forgotpassword", json={"email": email})


async def reset(world: World, secret: str, password: str = NEW_PASSWORD) -> int:
    """The status of setting a new password with a mailed secret."""
    answer = await (await world.client()).patch(f"/api/auth/resetpassword/{secret}", json=twice(password))
    return answer.status_code


async def verify(world: World, secret: str) -> int:
    """The status of verifying an email."""
    return (await (await world.client()).get(f"/api/auth/verifyemail/{secret}")).status_code


async def ask_for_change(browser: httpx.AsyncClient, email: str, password: str = PASSWORD) -> int:
    """The status of asking for another email."""
    body = {"currentPassword": password, "email": email}
    return (await browser.patch("/api/users/me/email", json=body)).status_code


async def click(world: World, path: str) -> int:
    """The status of pressing the button on a page that a letter leads to: `DONE`, or a refusal."""
    return (await (await world.client(origin="http://localhost:8000")).post(path)).status_code


async def confirm(browser: httpx.AsyncClient, secret: str) -> int:
    """The status of pressing the button that changes the email, on the page as this browser is shown it: `DONE`, a
    refusal, or 401 where there is no button because nobody is signed in.
    """
    path = f"/confirmemail/{secret}"
    signed = re.search(r'name="csrf" value="([^"]+)"', (await browser.get(path)).text)
    return (await browser.post(path, data={"csrf": signed[1]})).status_code if signed else 401


async def confirms_for_whom_it_is(world: World, email: str, secret: str) -> bool:
    """Whether the link still does something, for somebody who has just signed in to the account that has this email,
    whatever its password is by now.
    """
    now = world.clock.now()
    async with world.env.store.transaction() as tx:
        account = await tx.accounts.with_email(email)
        if account is None:
            return False
        session = begin(new_id(), account.id, Device("a browser", "192.0.2.7"), world.env.policy.sessions, now)
        await tx.sessions.open(session, account.epoch)
    caller = Caller(session.id, account, session.idle_expires_at)
    try:
        await confirm_change(world.env, caller, secret)
    except Refusal:
        return False
    return True


async def sign_in_status(world: World, email: str = EMAIL, password: str = PASSWORD) -> int:
    """The status of signing in."""
    body = {"email": email, "password": password}
    return (await (await world.client()).post("/api/auth/login", json=body)).status_code
