"""The browser of an operator who acts as somebody by the console, with the cookies that the pages set."""

from dataclasses import dataclass

import httpx

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories.impersonation import EMAIL, REASON, account_of
from tests.stories.operators.people import TWO_FACTORS, Browser, operator_in
from vestibule.crypto import jws
from vestibule.model.accounts import Account, Role
from vestibule.protocol.access_tokens import TYP

END = "/impersonation/end"
SAYS_SO = "You are acting as"
NO_LONGER = "You are no longer acting as"
_HOST = "localhost.local"  # as Python's cookie jars call it


@dataclass(frozen=True)
class InBrowser:
    """An operator's browser, in which they act as somebody."""

    operator: Browser
    person: Account
    client: httpx.AsyncClient
    token: str

    @property
    def session_id(self) -> str:
        """The acting session."""
        return str(jws.unverified_claims(self.token, TYP)["sid"])


def with_jar(operator: Browser) -> httpx.AsyncClient:
    """The operator's browser, which from now on keeps what the pages set."""
    for pair in operator.client.headers.pop("Cookie").split("; "):
        name, _, value = pair.partition("=")
        operator.client.cookies.set(name, value, domain=_HOST)
    return operator.client


async def begin_at(client: httpx.AsyncClient, account: Account, **fields: str) -> httpx.Response:
    """Send the form of the console, as its page has it."""
    at = f"/admin/people/{account.id}/impersonate"
    return await client.post(at, data={"csrf": csrf_in(await client.get(at)), **REASON, **fields})


async def acting_in_browser(world: World) -> InBrowser:
    """An admin who acts as Ada."""
    await world.register(EMAIL)
    ada, operator = await account_of(world), await operator_in(world, Role.ADMIN)
    await _keep_two_factors(world, operator)
    client = with_jar(operator)
    begun = await begin_at(client, ada)
    assert (begun.status_code, begun.headers["location"]) == (303, "/profile"), begun.text
    return InBrowser(operator, ada, client, client.cookies["access_token"])


async def _keep_two_factors(world: World, operator: Browser) -> None:
    """Have the session itself be of two factors, so that its next token says so too."""
    now, limits = world.clock.now(), world.env.policy.sessions
    async with world.env.store.transaction() as tx:
        (session,) = await tx.sessions.of_account(operator.account.id, 2, now)
        assert await tx.sessions.step_up(session.id, operator.account.id, TWO_FACTORS, limits, now)


def whose(client: httpx.AsyncClient) -> str:
    """The account of the access token in the browser's cookie; empty without one."""
    token = client.cookies.get("access_token", "")
    return str(jws.unverified_claims(token, TYP)["sub"]) if token else ""


def lose_access(client: httpx.AsyncClient) -> None:
    """Do as a browser does when the access token's cookie has expired."""
    for name in ("access_token", "logged_in"):
        client.cookies.delete(name, domain=_HOST)
