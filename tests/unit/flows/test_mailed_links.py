"""Mailed links: to whom they go, where they lead, how often they work; and looking at one uses nothing up."""

import re

import pytest

from tests.harness.world import World
from tests.unit.flows import DONE, EMAIL, NEW_PASSWORD, PASSWORD, ask_for_reset, reset, sign_in_status, twice, verify
from vestibule.model.letters import LetterKind

VERIFY, RESET = LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD
PAGES = (
    "verifyemail",
    "resetpassword",
    "confirmemail",
    "undoemail",
    "keepfactors",
    "resetfactors",
    "removefactor",
    "invitation",
)


@pytest.fixture
async def ada(world: World) -> World:
    """Ada has an account, and a letter that leads to a new password."""
    await world.register()
    await ask_for_reset(world)
    await world.deliver()
    return world


async def test_m3_a_link_dies_of_age(ada: World) -> None:
    ada.clock.advance(minutes=10)
    assert await reset(ada, ada.secret(RESET)) == 403
    ada.clock.advance(hours=24)
    assert await verify(ada, ada.secret(VERIFY)) == 403


async def test_m4_of_three_links_the_newest_works_and_once(ada: World) -> None:
    secrets = [ada.secret(RESET)]
    for _ in range(2):
        ada.clock.advance(seconds=1)
        await ask_for_reset(ada)
        await ada.deliver()
        secrets.append(ada.secret(RESET))
    assert [await reset(ada, secret) for secret in (*secrets, secrets[-1])] == [403, 403, 200, 403]


async def test_m4_a_success_kills_every_other_link(ada: World) -> None:
    code = ada.secret(VERIFY)
    assert await reset(ada, ada.secret(RESET)) == 200
    assert await verify(ada, code) == 403


SPOOFED: dict[str, dict[str, str]] = {
    "host": {"Host": "evil.example"},
    "host with a port": {"Host": "evil.example:8000"},
    "forwarded host": {"X-Forwarded-Host": "evil.example"},
    "forwarded": {"Forwarded": "host=evil.example;proto=https"},
    "original host": {"X-Original-Host": "evil.example"},
    "forwarded server": {"X-Forwarded-Server": "evil.example"},
    "http host override": {"X-HTTP-Host-Override": "evil.example"},
    "original url": {"X-Original-URL": "https://evil.example/"},
    "rewrite url": {"X-Rewrite-URL": "https://evil.example/"},
    "forwarded proto": {"X-Forwarded-Proto": "evil.example://"},
    "forwarded prefix": {"X-Forwarded-Prefix": "//evil.example"},
    "referer": {"Referer": "https://evil.example/"},
}


@pytest.mark.parametrize("headers", SPOOFED.values(), ids=SPOOFED)
async def test_m6_no_header_moves_a_link(world: World, headers: dict[str, str]) -> None:
    await world.register()
    client = await world.client(origin=None)
    await client.post("/api/auth/forgotpassword", json={"email": EMAIL}, headers=headers)
    await world.deliver()
    # A host that is not ours may be refused outright; then there is no letter to look at.
    for letter in world.mailer.letters:
        assert letter.link.startswith("http://localhost:3000/")


LOOK_ALIKES = (
    "ADA@example.com",
    "Ada@EXAMPLE.com",
    "\uff41\uff44\uff41@example.com",
    "ada@example.com.",
    "ada@\uff45xample.com",
    "ada+evil@example.com",
    "ad\u0430@example.com",
    "ada@examp\u0131e.com",
    "ada@xn--exmple-cua.com",
    "ada@example.com,eve@evil.example",
    "ada@example.com;eve@evil.example",
    "Ada <eve@evil.example>",
    "ada@example.com\r\nBcc: eve@evil.example",
)


@pytest.mark.parametrize("typed", LOOK_ALIKES, ids=ascii)
async def test_m7_e2_mail_goes_to_the_stored_email_whatever_was_typed(world: World, typed: str) -> None:
    await world.register()
    await ask_for_reset(world, typed)
    await world.deliver()
    assert {letter.to for letter in world.mailer.letters} == {EMAIL}


@pytest.mark.parametrize("typed", [[EMAIL, "eve@evil.example"], {"$ne": ""}, None, 7], ids=ascii)
async def test_m7_what_is_no_text_is_no_email(world: World, typed: object) -> None:
    await world.register()
    answer = await (await world.client()).post("/api/auth/forgotpassword", json={"email": typed})
    assert answer.status_code == 400
    await world.deliver()
    assert len(world.mailer.letters) == 1


@pytest.mark.parametrize(("page", "kind"), [("verifyemail", VERIFY), ("resetpassword", RESET)])
async def test_m8_ten_scanners_use_nothing_up_and_then_the_click_works(ada: World, page: str, kind: LetterKind) -> None:
    path = f"/{page}/{ada.secret(kind)}"
    scanner = await ada.client(origin=None)
    for _ in range(10):
        for method in ("GET", "HEAD"):
            assert (await scanner.request(method, path)).status_code == 200
        assert (await scanner.head(f"/api/auth/verifyemail/{ada.secret(VERIFY)}")).status_code == 200
    form = twice(NEW_PASSWORD) if page == "resetpassword" else {}
    browser = await ada.client(origin="http://localhost:8000")
    assert (await browser.post(path, data=form)).status_code == DONE
    assert (await browser.post(path, data=form)).status_code == 403


@pytest.mark.parametrize("page", PAGES)
async def test_m8_a_page_behind_a_link_tells_nobody_of_it(ada: World, page: str) -> None:
    """Also where the link is dead there, as a secret for a reset is on the other pages."""
    answer = await (await ada.client(origin=None)).get(f"/{page}/{ada.secret(RESET)}")
    assert answer.status_code == (200 if page == "resetpassword" else 403)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "set-cookie" not in answer.headers or "access_token" not in answer.headers["set-cookie"]
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", answer.text) == []


async def test_m9_a_reset_signs_nobody_in(ada: World) -> None:
    browser = await ada.client()
    answer = await browser.patch(f"/api/auth/resetpassword/{ada.secret(RESET)}", json=twice(NEW_PASSWORD))
    assert answer.status_code == 200
    assert "access_token" not in answer.text
    assert browser.cookies.get("access_token") is None
    assert (await browser.get("/api/users/me")).status_code == 401
    assert [await sign_in_status(ada, password=password) for password in (PASSWORD, NEW_PASSWORD)] == [400, 200]
