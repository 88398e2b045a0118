"""Signing up on the page: who may sign in unverified is signed in at once and led on; others get an email first."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import FRONT_END, POLICY, World, mandatory_verification, world_on
from tests.unit.web.hostile_targets import HOSTILE
from vestibule.flows.clean_up import clean_up
from vestibule.model.letters import LetterKind
from vestibule.model.policy import Policy
from vestibule.model.retention import Retention

pytestmark = pytest.mark.any_engine
ADA = {"name": "Ada Lovelace", "email": "ada@example.com", "password": "correct horse"}
TOKENS = {"access_token", "refresh_token", "logged_in"}
WELCOME = "/profile?notice=signed_up"
SAID = "Your account is ready. We sent you an email"


async def sign_up(world: World, **more: str) -> tuple[httpx.AsyncClient, httpx.Response]:
    browser = await world.client(None)
    return browser, await browser.post("/register", data=ADA | more)


async def test_it_signs_in_and_says_that_an_email_was_sent(world: World) -> None:
    browser, answer = await sign_up(world)
    assert (answer.status_code, answer.headers["location"]) == (303, WELCOME)
    assert set(browser.cookies) >= TOKENS
    assert not {"return_to", "sent_letter"} & set(browser.cookies)
    assert SAID in (await browser.get(WELCOME)).text
    await world.deliver()
    assert [letter.kind for letter in world.mailer.letters] == [LetterKind.VERIFY_EMAIL], "no new device is told of"
    mine = (await browser.get("/api/users/me/sessions")).json()["data"]["sessions"]
    assert [session["current"] for session in mine] == [True]
    page = (await browser.get("/profile/security")).text
    assert page.index("Signed in") < page.index("Account created")


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/orders/7?tab=2", "/orders/7?tab=2"),
        (f"{FRONT_END}/app", f"{FRONT_END}/app"),
        ("/profile/security", "/profile/security?notice=signed_up"),
        ("/profile?x=1", "/profile?x=1"),
    ],
)
async def test_it_leads_to_where_the_person_was_going(world: World, wanted: str, led: str) -> None:
    browser = await world.client(None)
    shown = await browser.get("/register", params={"return_to": wanted})
    # Browsers apply the form's policy to the redirect too.
    origin = FRONT_END if wanted.startswith(FRONT_END) else "'self'"
    assert f"form-action 'self' {origin};" in shown.headers["content-security-policy"]
    answer = await browser.post("/register", data=ADA | {"return_to": wanted})
    assert (answer.status_code, answer.headers["location"]) == (303, led)
    assert not browser.cookies.get("return_to"), "who has arrived is not led there again"
    back = await browser.get("/register", params={"return_to": wanted})
    assert (back.status_code, back.headers["location"]) == (303, wanted)


async def test_b3_it_leads_nowhere_else(world: World) -> None:
    """B3: the table of redirect attacks, by the new way in."""
    for number, hostile in enumerate(HOSTILE):
        _, answer = await sign_up(world, email=f"ada{number}@example.com", return_to=hostile)
        assert (answer.status_code, answer.headers["location"]) == (303, WELCOME), ascii(hostile)


CONCEALED = replace(mandatory_verification(), conceal_accounts=True)
HIDDEN_ALONE = replace(POLICY, conceal_accounts=True)


@pytest.mark.parametrize("policy", [mandatory_verification(), CONCEALED, HIDDEN_ALONE])
async def test_g16_where_it_may_not_it_signs_nobody_in(backend: Backend, policy: Policy) -> None:
    """G16: a free email would be told from a taken one."""
    async with world_on(backend, policy) as world:
        browser, answer = await sign_up(world, return_to="/orders/7")
        assert answer.headers["location"] == "/checkemail?about=registered"
        assert not TOKENS & set(browser.cookies)
        if policy.conceal_accounts:
            _, again = await sign_up(world, return_to="/orders/7")
            assert again.headers["location"] == answer.headers["location"]


async def test_a_form_that_is_sent_twice_signs_in_both_times(world: World) -> None:
    """A double click, where no script holds the second form back: the browser drops the first answer."""
    for number, (browser, answer) in enumerate(await asyncio.gather(sign_up(world), sign_up(world))):
        assert (answer.status_code, answer.headers["location"]) == (303, WELCOME), number
        assert set(browser.cookies) >= TOKENS
    world.clock.advance(seconds=9)
    browser, answer = await sign_up(world)
    assert answer.headers["location"] == WELCOME
    await world.deliver()
    assert [letter.kind for letter in world.mailer.letters] == [LetterKind.VERIFY_EMAIL], "no new device is told of"


@pytest.mark.parametrize(
    ("seconds", "other"), [(11, {}), (0, {"password": "another horse"}), (0, {"name": "Eve"})], ids=str
)
async def test_another_form_or_a_later_one_is_no_double_click(
    world: World, seconds: int, other: dict[str, str]
) -> None:
    await sign_up(world)
    world.clock.advance(seconds=seconds)
    browser, answer = await sign_up(world, **other)
    assert answer.status_code == 409
    assert not TOKENS & set(browser.cookies)


async def test_passwords_tried_by_sending_the_form_twice_are_counted_like_others(world: World) -> None:
    await sign_up(world)
    for number in range(100):
        await sign_up(world, password=f"wrong horse {number}")
    browser, answer = await sign_up(world)
    assert answer.status_code == 409
    assert (await browser.post("/login", data=ADA)).status_code == 429


async def test_a_taken_email_is_refused_as_before_and_signs_nobody_in(world: World) -> None:
    await world.register()
    world.clock.advance(seconds=11)
    for password in ("correct horse", "another horse"):  # nor is it a way to try passwords
        browser, answer = await sign_up(world, password=password)
        assert answer.status_code == 409
        assert not TOKENS & set(browser.cookies)


async def test_the_api_signs_nobody_in(world: World) -> None:
    browser = await world.client()
    answer = await browser.post("/api/auth/register", json=ADA | {"passwordConfirm": ADA["password"]})
    assert answer.status_code == 201
    assert list(browser.cookies) == []


async def test_n9_an_account_that_was_signed_up_is_used(backend: Backend) -> None:
    """N9: so it stays, though nobody ever signs in by hand."""
    async with world_on(backend, replace(POLICY, retention=Retention(unverified=timedelta(days=7)))) as world:
        await sign_up(world)
        await world.register("charles@example.com")
        world.clock.advance(days=1000)
        assert (await clean_up(world.env))["unverified_accounts"] == 1
        await world.sign_in()


async def test_it_takes_none_of_the_sign_ins_of_a_network(world: World) -> None:
    """Registering has a limit of its own, a fifth of that for sign-ins; wrong passwords of before are forgiven."""
    stranger = await world.client(None)
    for _ in range(30):
        await stranger.post("/login", data={"email": ADA["email"], "password": "wrong horse"})
    _, answer = await sign_up(world)
    assert answer.headers["location"] == WELCOME
    await world.sign_in()


async def test_the_profile_offers_the_link_again_to_whom_one_was_mailed(world: World) -> None:
    browser, _ = await sign_up(world)
    assert "Send the link again" in (await browser.get("/profile")).text
    async with world.env.store.transaction() as tx:  # as for somebody who was imported
        ada = await tx.accounts.with_email(ADA["email"])
        assert ada is not None
        await tx.letters.delete_of(ada.id)
    page = (await browser.get("/profile")).text
    assert "Send the link again" not in page
    assert "Send me a confirmation link" in page
