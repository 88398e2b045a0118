"""A dead link says so when it is opened, before it asks for anything; the answer is the one that its button gave."""

import re
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories.factors.apps import enrol
from tests.stories.factors.resets import an_owner, by_operator
from tests.unit.web.people import ada
from vestibule.flows.invite import invite
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE

pytestmark = pytest.mark.any_engine
NEW = {"password": "battery staple"}
DEAD = "This link no longer works"
# Where a dead link's page leads to ask for another; nobody can ask for another that undoes.
ANOTHER: dict[str, list[str]] = {
    "verifyemail": ["/verifyemail"],
    "resetpassword": ["/forgotpassword"],
    "confirmemail": ["/profile/security/email"],
    "undoemail": [],
    "keepfactors": [],
    "invitation": [],
    "resetfactors": [],
    "removefactor": ["/forgotpassword"],
}


async def _verify(world: World) -> str:
    await world.register()
    return f"/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}"


async def _reset(world: World) -> str:
    await world.register()
    await (await world.client()).post("/api/auth/forgotpassword", json={"email": "ada@example.com"})
    await world.deliver()
    return f"/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"


async def _confirm(world: World) -> str:
    client = await ada(world)
    await client.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    body = {"currentPassword": "correct horse", "email": "new@example.com"}
    assert (await client.patch("/api/users/me/email", json=body)).status_code == 200
    await world.deliver()
    return f"/confirmemail/{world.secret(LetterKind.CONFIRM_NEW_EMAIL)}"


async def _undo(world: World) -> str:
    path = await _confirm(world)
    client = await _browser(world, path)
    page = await client.get(path)
    assert (await client.post(path, data={"csrf": csrf_in(page)})).status_code == 303
    await world.deliver()
    return f"/undoemail/{world.secret(LetterKind.EMAIL_CHANGED)}"


async def _keep(world: World) -> str:
    await an_owner(world)
    await by_operator(world)
    return f"/keepfactors/{world.secret(LetterKind.FACTOR_RESET_BEGUN)}"


async def _remove(world: World) -> str:
    await world.register()
    await (await world.client()).get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    await enrol(world, await world.sign_in())
    await world.deliver()
    return f"/removefactor/{world.secret(LetterKind.FACTOR_ADDED)}"


async def _invited(world: World) -> str:
    await invite(world.env, COMMAND_LINE, "Ada", "ada@example.com")
    await world.deliver()
    return f"/invitation/{world.secret(LetterKind.INVITATION)}"


LINKS = {
    "verify": _verify,
    "reset": _reset,
    "confirm": _confirm,
    "undo": _undo,
    "keep": _keep,
    "remove": _remove,
    "invitation": _invited,
}
_LIVES_LONGER = {"/keepfactors": 48, "/removefactor": 72, "/invitation": 7 * 24}


async def _browser(world: World, path: str) -> httpx.AsyncClient:
    """A browser at this link, signed in if the link asks for that."""
    client = await (world.sign_in() if path.startswith("/confirmemail") else world.client(None))
    client.headers.pop("Origin", None)
    client.headers["Sec-Fetch-Site"] = "same-origin"
    return client


async def _used(world: World, path: str) -> None:
    client = await _browser(world, path)
    page = await client.get(path)
    fields = NEW | ({"csrf": csrf_in(page)} if path.startswith("/confirmemail") else {})
    assert (await client.post(path, data=fields)).status_code == 303


async def _expired(world: World, path: str) -> None:
    world.clock.advance(hours=_LIVES_LONGER.get(path.rpartition("/")[0], 24), seconds=1)


ENDS: dict[str, Callable[[World, str], Awaitable[None]]] = {"used": _used, "expired": _expired}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("link", LINKS)
async def test_it_lives_until_it_is_dead_and_then_says_so_at_once(world: World, link: str, end: str) -> None:
    path = await LINKS[link](world)
    stranger = await world.client(None)
    for _ in range(3):  # opening it does not spend it
        page = await stranger.get(path)
        assert (page.status_code, DEAD in page.text) == (200, False)
    await ENDS[end](world, path)
    page = await stranger.get(path)
    main = page.text.partition("<main")[2].partition("</main>")[0]
    assert DEAD in main
    assert "<form" not in main
    if link != "confirm":  # its button is for who is signed in
        answer = await stranger.post(path, data=NEW, headers={"Sec-Fetch-Site": "same-origin"})
        assert (answer.status_code, DEAD in answer.text) == (page.status_code, True)


@pytest.mark.parametrize("link", ["verify", "reset"])
async def test_a_superseded_link_is_dead(world: World, link: str) -> None:
    path = await LINKS[link](world)
    world.clock.advance(minutes=6)
    api = {"verify": "/api/auth/verifyemail", "reset": "/api/auth/forgotpassword"}[link]
    await (await world.client()).post(api, json={"email": "ada@example.com"})
    await world.deliver()
    assert DEAD in (await (await world.client(None)).get(path)).text


@pytest.mark.parametrize("path", ANOTHER)
@pytest.mark.parametrize("secret", ["0" * 64, "nonsense"])
async def test_an_invented_link_looks_like_any_other_dead_one(world: World, path: str, secret: str) -> None:
    page = await (await world.client(None)).get(f"/{path}/{secret}")
    assert page.status_code == 403
    assert DEAD in page.text
    assert re.findall(r'class="button" href="([^"]*)"', page.text) == ANOTHER[path]


async def test_who_opens_a_verification_link_twice_is_led_to_the_sign_in(world: World) -> None:
    """Nothing is wrong then, and another link would never come."""
    path = await _verify(world)
    await _used(world, path)
    page = await (await world.client(None)).get(path)
    assert "If you have confirmed your email address already, sign in." in page.text
    assert 'href="/login"' in page.text


async def test_a_link_of_a_disabled_account_is_dead_as_its_button_says(world: World) -> None:
    path = await _reset(world)
    async with world.env.store.transaction() as tx:
        account = await tx.accounts.with_email("ada@example.com")
        assert account is not None
        await tx.accounts.disable(account.id, None, world.clock.now())
    page = await (await world.client(None)).get(path)
    assert DEAD in page.text


WAYS_ON = {
    "verify": ("/verifyemail", "Send me another link"),
    "reset": ("/forgotpassword", "Send me another link"),
    "confirm": ("/profile/security/email", "Sign in"),
    "undo": ("/login", "Back to sign-in"),
    "keep": ("/login", "Back to sign-in"),
    "remove": ("/forgotpassword", "Choose a new password"),
    "invitation": ("/login", "Back to sign-in"),
}


@pytest.mark.parametrize("link", LINKS)
async def test_who_is_signed_out_is_led_to_what_is_needed_now_and_told_nothing_else(world: World, link: str) -> None:
    """Neither of the account nor of the emails, whether the link was real or made up."""
    path = await LINKS[link](world)
    await _expired(world, path)
    stranger = await world.client(None)
    dead = (await stranger.get(path)).text
    made_up = (await stranger.get(path[:-64] + "0" * 64)).text
    href, label = WAYS_ON[link]
    assert re.search(rf'href="{re.escape(href)}">{label}<', main_of(dead)), main_of(dead)
    assert "@" not in main_of(dead)
    assert main_of(dead) == main_of(made_up)


def main_of(page: str) -> str:
    """What a page says."""
    return page.partition("<main")[2].partition("</main>")[0]


async def test_a_dead_link_to_a_new_email_leads_who_is_signed_in_to_the_form(world: World) -> None:
    path = await _confirm(world)
    await _expired(world, path)
    page = main_of((await (await _browser(world, path)).get(path)).text)
    assert 'href="/profile/security/email">Change email address<' in page
