"""Where somebody was going is known where the mailed link is opened, also in another browser, which has no cookie."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from tests.harness import backends
from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import FRONT_END, WEB, World, mandatory_verification, world_on
from tests.unit.web.hostile_targets import HOSTILE
from vestibule.model.letters import LetterKind
from vestibule.model.policy import Policy
from vestibule.storage.sql.schema import letters, one_time_tokens
from vestibule.web.map_reading import PAGES as PAGES_OF_MAP
from vestibule.web.pages.return_to import MAX_CHARACTERS

pytestmark = pytest.mark.any_engine
ADA, NEW_EMAIL = "ada@example.com", "countess@example.com"
OLD, NEW = "correct horse", "another battery"
TARGET = "/orders/7?tab=2"
GOING = {"return_to": TARGET}
VERIFY, RESET = LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD
SECRETS = ("{token}", "{code}")
MAILED = sorted({line.path.split("/")[1] for line in PAGES_OF_MAP if line.path.endswith(SECRETS)})
CONCEALED = replace(mandatory_verification(), conceal_accounts=True)


async def browser(world: World) -> httpx.AsyncClient:
    client = await world.client(None)
    client.headers["Sec-Fetch-Site"] = "same-origin"
    return client


async def signs_up(world: World, password: str = OLD) -> httpx.AsyncClient:
    mine = await browser(world)
    form = {"name": "Ada", "email": ADA, "password": password}
    assert (await mine.post("/register", data=form | GOING)).status_code in {303, 409}
    return mine


async def asks(world: World, path: str) -> None:
    assert (await (await browser(world)).post(path, data={"email": ADA} | GOING)).status_code == 303


async def signed_in(world: World, page: httpx.Response, client: httpx.AsyncClient, password: str, email: str) -> str:
    """Where the sign-in page leads to which the answer redirects."""
    assert page.status_code == 303, page.text
    shown = await client.get(page.headers["location"])
    form = re.search(r'<form method="post" action="/login" novalidate>(.*?)</form>', shown.text, re.DOTALL)
    assert form, shown.text
    going = re.search(r'name="return_to" value="([^"]*)"', form[1])
    fields = {"email": email, "password": password} | ({"return_to": going[1]} if going else {})
    return (await client.post("/login", data=fields)).headers["location"]


async def verified(world: World) -> str:
    other = await browser(world)
    link = f"/verifyemail/{world.secret(VERIFY)}"
    await other.get(link)
    return await signed_in(world, await other.post(link), other, OLD, ADA)


async def reset(world: World, link: str | None = None, other: httpx.AsyncClient | None = None) -> str:
    other = other or await browser(world)
    link = link or f"/resetpassword/{world.secret(RESET)}"
    await other.get(link)
    return await signed_in(world, await other.post(link, data={"password": NEW}), other, NEW, ADA)


async def reset_by(world: World, link: str) -> str:
    """In another browser, by a mailed link that leads on to a new password."""
    other = await browser(world)
    led = await other.post(link)
    return await reset(world, led.headers["location"], other)


async def sign_up(world: World) -> str:
    await signs_up(world)
    await world.deliver()
    return await verified(world)


async def forgotten_password(world: World) -> str:
    await world.register()
    await asks(world, "/forgotpassword")
    await world.deliver()
    return await reset(world)


async def another_verification(world: World) -> str:
    await world.register()
    world.clock.advance(hours=1)
    await asks(world, "/verifyemail")
    await world.deliver()
    return await verified(world)


async def sent_again_from_check_email(world: World) -> str:
    await world.register()
    mine = await browser(world)
    await mine.post("/forgotpassword", data={"email": ADA} | GOING)
    world.clock.advance(hours=1)
    page = await mine.get("/checkemail", params=GOING)
    fields = dict(
        re.findall(r'<input type="hidden" name="(email|return_to)" value="([^"]*)">', page.text.partition("</main>")[0])
    )
    assert fields == {"email": ADA} | GOING
    await mine.post("/forgotpassword", data=fields)
    await world.deliver()
    return await reset(world)


async def wrong_email_and_back(world: World) -> str:
    await world.register()
    mine = await browser(world)
    await mine.post("/forgotpassword", data={"email": "mistyped@example.com"} | GOING)
    page = await mine.get("/checkemail", params=GOING)
    back = re.search(r'href="([^"]+)">Wrong email\?', page.text)
    assert back
    form = await (await browser(world)).get(back[1].replace("&amp;", "&"))
    assert f'name="return_to" value="{TARGET}"' in form.text
    await mine.post("/forgotpassword", data={"email": ADA} | GOING)
    await world.deliver()
    return await reset(world)


async def a_dead_link_and_another(world: World) -> str:
    await world.register()
    await asks(world, "/forgotpassword")
    await world.deliver()
    world.clock.advance(hours=1)
    other = await browser(world)
    dead = await other.get(f"/resetpassword/{world.secret(RESET)}")
    again = re.search(r'href="([^"]+)">Send me another link', dead.text)
    assert again
    form = await (await browser(world)).get(again[1])
    assert f'name="return_to" value="{TARGET}"' in form.text
    await other.post("/forgotpassword", data={"email": ADA} | GOING)
    await world.deliver()
    return await reset(world)


async def a_link_for_who_signed_in_unverified(world: World) -> str:
    """The offer on the sign-in page."""
    await world.register()
    world.clock.advance(hours=1)
    mine = await browser(world)
    page = await mine.post("/login", data={"email": ADA, "password": OLD} | GOING)
    offer = re.search(r'<form class="aside".*?</form>', page.text, re.DOTALL)
    assert offer, page.text
    await mine.post("/verifyemail", data=dict(re.findall(r'name="(\w+)" value="([^"]*)"', offer[0])))
    await world.deliver()
    return await verified(world)


async def not_mine(world: World) -> str:
    """The second button of a verification link, which leads to a password of one's own."""
    await signs_up(world)
    await world.deliver()
    return await reset_by(world, f"/verifyemail/{world.secret(VERIFY)}/mine")


async def registered_twice(world: World) -> str:
    """By the page, which leads to a password; the password of the registration is in doubt."""
    await signs_up(world)
    await signs_up(world, "a stranger's horse")
    await world.deliver()
    return await reset_by(world, f"/verifyemail/{world.secret(VERIFY)}")


async def registered_twice_and_verified_by_the_api(world: World) -> str:
    """It cannot ask for a password, so another letter does."""
    await signs_up(world)
    await signs_up(world, "a stranger's horse")
    await world.deliver()
    await (await world.client()).get(f"/api/auth/verifyemail/{world.secret(VERIFY)}")
    await world.deliver()
    return await reset(world)


async def change_of_email(world: World) -> str:
    await world.register()
    mine = await browser(world)
    await mine.post("/login", data={"email": ADA, "password": OLD})
    page = await mine.get("/profile/security/email", params=GOING)
    assert f'name="return_to" value="{TARGET}"' in page.text
    form = {"csrf": csrf_in(page), "email": NEW_EMAIL, "currentPassword": OLD}
    assert (await mine.post("/profile/security/email", data=form | GOING)).status_code == 303
    await world.deliver()
    other = await browser(world)
    await other.post("/login", data={"email": ADA, "password": OLD})
    link = f"/confirmemail/{world.secret(LetterKind.CONFIRM_NEW_EMAIL)}"
    changed = await other.post(link, data={"csrf": csrf_in(await other.get(link))})
    return await signed_in(world, changed, other, OLD, NEW_EMAIL)


WAYS: list[Callable[[World], Awaitable[str]]] = [
    sign_up,
    forgotten_password,
    another_verification,
    sent_again_from_check_email,
    wrong_email_and_back,
    a_dead_link_and_another,
    not_mine,
    registered_twice,
    registered_twice_and_verified_by_the_api,
    change_of_email,
]


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_through_a_mailed_link_leads_there_in_another_browser(
    world: World, way: Callable[[World], Awaitable[str]]
) -> None:
    assert await way(world) == TARGET


@pytest.mark.parametrize("way", [sign_up, a_link_for_who_signed_in_unverified])
@pytest.mark.parametrize("policy", [mandatory_verification(), CONCEALED], ids=["mandatory", "concealed"])
async def test_so_it_does_where_verification_is_mandatory(
    backend: Backend, policy: Policy, way: Callable[[World], Awaitable[str]]
) -> None:
    async with world_on(backend, policy) as world:
        assert await way(world) == TARGET


async def test_nobody_without_one_is_led_anywhere(world: World) -> None:
    await world.register()
    await (await browser(world)).post("/forgotpassword", data={"email": ADA})
    await world.deliver()
    assert await reset(world) == "/profile"


async def test_o10_the_letter_and_its_link_say_nothing_of_it(world: World) -> None:
    """O10: whoever knows an email could have words of their own mailed there in our name."""
    mine = await browser(world)
    said = "/YOUR-ACCOUNT-IS-LOST/CALL-0900-12345"
    await mine.post("/register", data={"name": "Ada", "email": ADA, "password": OLD, "return_to": said})
    await world.deliver()
    letter = world.mailer.letters[-1]
    assert re.fullmatch(rf"{FRONT_END}/verifyemail/[0-9a-f]{{64}}", letter.link)
    text = world.mailer.renderer.write(letter).as_string()
    assert "CALL" not in text
    assert "0900" not in text


async def stored(world: World) -> list[str | None]:
    async with world.engines.sqlalchemy_reading() as connection:
        return list((await connection.execute(select(one_time_tokens.c.return_to))).scalars())


async def test_the_api_keeps_none_whatever_it_is_sent(world: World) -> None:
    mine = await world.client()
    await mine.get("/login", params=GOING)
    body = {"name": "Ada", "email": ADA, "password": OLD, "passwordConfirm": OLD}
    await mine.post("/api/auth/register", json=body | GOING)
    await mine.post("/api/auth/forgotpassword", json={"email": ADA} | GOING)
    await world.deliver()
    assert await stored(world) == [None, None]


@pytest.mark.parametrize("page", MAILED)
async def test_s1_no_mailed_secret_is_stored_with_another(world: World, page: str) -> None:
    """S1: a copy of the database opens no link."""
    await world.register()
    path = f"/{page}/{'0a' * 32}"
    for target in (path, f"/login?return_to={path}", f"/login?return_to={path.replace('/', '%2F')}"):
        world.clock.advance(hours=1)
        await (await browser(world)).post("/forgotpassword", data={"email": ADA, "return_to": target})
        async with world.engines.sqlalchemy_reading() as connection:
            waiting = (await connection.execute(select(letters.c.detail))).scalars().all()
        assert not any("0a0a" in detail for detail in waiting)
        await world.deliver()
        assert set(await stored(world)) == {None}


async def tampered(world: World, target: str) -> str:
    """The path of a link with which somebody has stored another target."""
    await (await browser(world)).post("/forgotpassword", data={"email": ADA})
    await world.deliver()
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(update(one_time_tokens).values(return_to=target))
    return f"/resetpassword/{world.secret(RESET)}"


async def test_b3_what_is_stored_is_checked_when_it_is_used(tmp_path: Path) -> None:
    """B3: as strictly as the query; nothing of it is in a header, a cookie or the page."""
    async with backends.fresh(backends.SQLITE, tmp_path) as backend, world_on(backend) as world:
        await world.register()
        for hostile in filter(None, HOSTILE):
            if "\0" in hostile:
                continue  # no column holds it
            world.clock.advance(minutes=1)
            link, other = await tampered(world, hostile), await browser(world)
            page = await other.get(link)
            assert "form-action 'self' 'self';" in page.headers["content-security-policy"], ascii(hostile)
            assert "return_to" not in page.headers.get("set-cookie", ""), ascii(hostile)
            done = await other.post(link, data={"password": NEW})
            assert done.headers["location"] == "/login?notice=password_reset", ascii(hostile)


@pytest.mark.parametrize("origins", [set(), {"https://other.example"}])
async def test_b3_an_origin_that_is_no_longer_listed_is_left_out(backend: Backend, origins: set[str]) -> None:
    """B3: the list at the time of the click counts."""
    async with world_on(backend) as before:
        await before.register()
        await (await browser(before)).post("/forgotpassword", data={"email": ADA, "return_to": f"{FRONT_END}/app"})
        await before.deliver()
        link = f"/resetpassword/{before.secret(RESET)}"
        shown = await (await browser(before)).get(link)
        assert f"form-action 'self' {FRONT_END};" in shown.headers["content-security-policy"]
        async with world_on(backend, web=replace(WEB, origins=frozenset(origins)), clock=before.clock) as after:
            other = await browser(after)
            assert FRONT_END not in (await other.get(link)).headers["content-security-policy"]
            done = await other.post(link, data={"password": NEW})
            assert done.headers["location"] == "/login?notice=password_reset"


TOO_LONG = "/" + "a" * MAX_CHARACTERS
PAGES = ["/login", "/register", "/forgotpassword", "/verifyemail", "/checkemail", f"/verifyemail/{'0' * 64}"]


@pytest.mark.parametrize("path", PAGES)
async def test_one_that_is_too_long_is_refused_and_the_limit_is_said(world: World, path: str) -> None:
    other = await browser(world)
    refused = await other.get(path, params={"return_to": TOO_LONG})
    assert refused.status_code == 414
    assert "at most 1,024 characters" in refused.text
    assert "set-cookie" not in refused.headers
    assert (await other.get(path, params={"return_to": TOO_LONG[:-1]})).status_code != 414
    if path.count("/") == 1 and path != "/checkemail":
        form = {"name": "Ada", "email": ADA, "password": OLD, "return_to": TOO_LONG}
        assert (await other.post(path, data=form)).status_code == 414
        async with world.engines.sqlalchemy_reading() as connection:
            assert not (await connection.execute(select(letters.c.id))).all()


@pytest.mark.parametrize("detail", ["{}", '{"network_address": "192.0.2.7"}', '{"return_to": "/x", "later": "y"}'])
async def test_a_letter_of_an_older_or_a_newer_version_is_sent(world: World, detail: str) -> None:
    await world.register()
    await (await browser(world)).post("/forgotpassword", data={"email": ADA})
    async with world.engines.sqlalchemy_transaction() as connection:
        waiting = letters.c.settled_at.is_(None)
        await connection.execute(update(letters).where(waiting).values(detail=detail))
    await world.deliver()
    assert await reset(world) == ("/x" if "/x" in detail else "/profile")


async def test_after_a_reset_the_sign_in_form_has_the_email_which_stands_in_no_url(world: World) -> None:
    await world.register()
    await asks(world, "/forgotpassword")
    await world.deliver()
    other, link = await browser(world), f"/resetpassword/{world.secret(RESET)}"
    done = await other.post(link, data={"password": NEW})
    assert "ada" not in done.headers["location"]
    form = await other.get(done.headers["location"])
    assert f'value="{ADA}"' in form.text
    assert f'value="{ADA}"' not in (await other.get("/login")).text, "only where a link led here"
    await other.post("/login", data={"email": ADA, "password": NEW})
    assert not other.cookies.get("sent_letter")
