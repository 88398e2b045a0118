"""What a page says is true, and stands where it is needed: a link to what it names, a word before an app opens."""

import re

import pytest

from tests.harness.backends import Backend
from tests.harness.world import FRONT_END, World, mandatory_verification, world_on
from tests.unit.web.people import ada
from vestibule.model.letters import LetterKind

pytestmark = pytest.mark.any_engine
ADA = {"name": "Ada Lovelace", "email": "ada@example.com", "password": "correct horse"}
MAILED = "We'll send a link to this address. Open it to confirm that it is yours."


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (f"{FRONT_END}/app", True),
        ("/orders/7", True),
        ("/profile?x=1", True),
        ("/profile", False),
        ("/profile/security", False),
        ("", False),
    ],
)
async def test_on_the_way_to_an_app_the_form_tells_of_the_email(world: World, target: str, told: bool) -> None:
    """The profile says so afterwards, but an app may say nothing."""
    client = await world.client(None)
    page = (await client.get("/register", params={"return_to": target} if target else {})).text
    assert (MAILED in page) == told
    assert ('aria-describedby=" email-hint"' in page) == told
    refused = await client.post("/register", data={**ADA, "name": "", "return_to": target})
    assert (MAILED in refused.text) == told


async def test_where_check_your_email_comes_the_form_tells_nothing(backend: Backend) -> None:
    async with world_on(backend, mandatory_verification()) as world:
        client = await world.client(None)
        assert MAILED not in (await client.get("/register", params={"return_to": f"{FRONT_END}/app"})).text


async def test_sign_in_instead_is_a_link_that_keeps_the_way(world: World) -> None:
    await world.register()
    world.clock.advance(seconds=11)
    client = await world.client(None)
    fields = {**ADA, "return_to": f"{FRONT_END}/app"}
    refused = await client.post("/register", data=fields, headers={"Accept": "text/html"})
    page = (await client.get(refused.headers["location"])).text
    [fault] = re.findall(r'<p class="fault" id="email-fault"[^>]*>(.*)</p>', page)
    way = "?return_to=http%3A%2F%2Flocalhost%3A3000%2Fapp"
    assert fault == f'An account with this email address already exists. <a href="/login{way}">Sign in instead</a>'
    other = await client.post("/register", data={**ADA, "email": "no address"})
    assert "Sign in instead" not in other.text


async def test_the_page_of_a_reset_link_names_the_account_for_password_managers_too(world: World) -> None:
    await world.register()
    client = await world.client(None)
    await client.post("/forgotpassword", data={"email": ADA["email"]})
    await world.deliver()
    path = f"/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    refused = await client.post(path, data={"password": "short"}, headers={"Accept": "text/html"})
    for _ in range(2):  # the refusal, and the page without it
        page = (await client.get(refused.headers["location"])).text
        assert (
            '<input type="email" name="username" autocomplete="username" value="ada@example.com" readonly hidden>'
            in page
        )
        assert "<strong>" in page
    dead = (await client.get(f"/resetpassword/{'0' * 64}")).text
    assert "ada@example.com" not in dead


@pytest.mark.parametrize(
    "path", ["/login/second-step", "/login?notice=second_step_late", "/login?notice=email_changed"]
)
async def test_who_is_signed_in_is_not_asked_to_sign_in(world: World, path: str) -> None:
    """As after Back from a page behind the second step."""
    client = await ada(world)
    answer = await client.get(path)
    while answer.is_redirect:
        answer = await client.get(answer.headers["location"])
    assert answer.url.path == "/profile"
    assert 'class="notice"' not in answer.text


@pytest.mark.parametrize(
    ("reason", "linked"), [("password_changed", True), ("password_reset", True), ("signed_out", False), ("", False)]
)
async def test_forgot_your_password_is_a_link_where_it_is_named(world: World, reason: str, linked: bool) -> None:
    page = (await (await world.client(None)).get("/signedout", params={"reason": reason})).text
    assert ("Forgot your password?”" in page) == linked
    assert ('<a href="/forgotpassword">' in page) == linked


async def test_nobody_is_asked_about_an_email_that_they_did_not_type(world: World) -> None:
    client = await world.client(None)
    await world.register()
    await client.post("/forgotpassword", data={"email": ADA["email"]})
    assert "Wrong email?" in (await client.get("/checkemail")).text
    kept = client.cookies["sent_letter"].replace("reset", "taken_back")
    page = (await (await world.client(None)).get("/checkemail", headers={"Cookie": f"sent_letter={kept}"})).text
    assert "Your account is yours again" in page
    assert "Wrong email?" not in page
