"""Operators who act as somebody else: what that lets them do, what it leaves behind, and what ends it."""

from dataclasses import dataclass

import httpx

from tests.harness.world import World
from tests.stories.operators.people import Browser, operator_in
from vestibule.model.accounts import Account, Role
from vestibule.model.events import Event, EventFilter

EMAIL = "ada@example.com"
REASON = {"reason": "Ticket 4711: sees no invoices"}


@dataclass(frozen=True)
class Acting:
    """An operator, and a browser of theirs in which they act as somebody."""

    operator: Browser
    person: Account
    client: httpx.AsyncClient
    token: str
    session_id: str


async def account_of(world: World, email: str = EMAIL) -> Account:
    async with world.env.store.reading() as read:
        account = await read.accounts.with_email(email)
    assert account is not None
    return account


async def begin(operator: Browser, account: Account) -> httpx.Response:
    return await operator.client.post(f"/api/admin/people/{account.id}/impersonate", json=REASON)


async def with_token(world: World, token: str) -> httpx.AsyncClient:
    """A browser whose only cookie is this access token."""
    client = await world.client("http://localhost:8000")
    client.headers["Cookie"] = f"access_token={token}"
    return client


async def acting_as(world: World, account: Account, operator: Browser | None = None) -> Acting:
    """An admin who acts as this person."""
    operator = operator or await operator_in(world, Role.ADMIN)
    begun = await begin(operator, account)
    assert begun.status_code == 201, begun.text
    token, session_id = begun.json()["access_token"], begun.json()["data"]["session"]
    return Acting(operator, account, await with_token(world, token), token, session_id)


async def acting_as_ada(world: World) -> Acting:
    await world.register(EMAIL)
    return await acting_as(world, await account_of(world))


async def events_of(world: World, account: Account) -> list[Event]:
    async with world.env.store.reading() as read:
        return [event for _, event in await read.events.find(EventFilter(account_id=account.id), 100)]


async def code_of_me(client: httpx.AsyncClient) -> str:
    """The code with which the session is refused; empty while it lives."""
    answer = await client.get("/api/users/me")
    return "" if answer.status_code == 200 else str(answer.json()["code"])
