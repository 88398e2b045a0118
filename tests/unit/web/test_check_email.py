""" "Check your email": where to, when again, and back to correct it; the same for an account and for none."""

import html
import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import World, mandatory_verification, world_on
from vestibule.model.letters import LetterKind
from vestibule.web import cookies
from vestibule.web.pages.line_breaks import breakable

pytestmark = pytest.mark.any_engine
ADA = "ada@example.com"
SIGN_UP = {"name": "Ada Lovelace", "email": ADA, "password": "correct horse"}
ASKED = {"/register": SIGN_UP, "/forgotpassword": {"email": ADA}, "/verifyemail": {"email": ADA}}
_WAIT = re.compile(r'data-countdown="(\d+)"')


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    """Where who has signed up has to open the email first."""
    async with world_on(backend, mandatory_verification()) as made:
        yield made


async def _asked(browser: httpx.AsyncClient, path: str) -> httpx.Response:
    sent = await browser.post(path, data=ASKED[path])
    assert sent.status_code == 303
    assert "@" not in sent.headers["location"]
    assert "%40" not in sent.headers["location"]
    return await browser.get(sent.headers["location"])


def _link_to_correct(page: httpx.Response) -> str:
    found = re.search(r'href="([^"]+)">Wrong email\?', page.text)
    assert found
    assert "change=email" in found[1]
    return html.unescape(found[1])


@pytest.mark.parametrize("path", ASKED)
async def test_it_shows_the_email_which_stands_in_no_url(world: World, path: str) -> None:
    page = await _asked(await world.client(None), path)
    assert f"<strong>{breakable(ADA)}</strong>" in page.text
    assert not re.search(r'(?:href|action)="[^"]*(?:@|%40)', page.text)


@pytest.mark.parametrize("path", ASKED)
async def test_it_says_where_else_the_email_may_be(world: World, path: str) -> None:
    page = await _asked(await world.client(None), path)
    assert "on any device" in page.text
    assert "spam folder" in page.text


@pytest.mark.parametrize("path", ["/forgotpassword", "/verifyemail"])
async def test_it_says_the_same_whether_there_is_an_account_or_not(world: World, path: str) -> None:
    unknown = await _asked(await world.client(None), path)
    await world.register()
    known = await _asked(await world.client(None), path)
    assert re.sub(r"[0-9a-f]{32}", "", known.text) == re.sub(r"[0-9a-f]{32}", "", unknown.text)


async def test_it_can_be_sent_again_after_the_wait_that_it_names(world: World) -> None:
    await world.register()
    browser = await world.client(None)
    page = await _asked(browser, "/forgotpassword")
    await world.deliver()
    first = world.secret(LetterKind.RESET_PASSWORD)
    wait = _WAIT.search(page.text)
    if world.env.policy.letters.to_email.gap:
        assert wait
        assert int(wait[1]) == world.env.policy.letters.to_email.gap.total_seconds()
        assert "disabled" in page.text
        world.clock.advance(seconds=int(wait[1]))
    ready = await browser.get("/checkemail")
    assert not _WAIT.search(ready.text)
    assert "disabled" not in ready.text
    form = re.search(
        r'<form method="post" action="(/\w+)">\s*<input type="hidden" name="email" value="([^"]+)">', ready.text
    )
    assert form
    assert form.groups() == ("/forgotpassword", ADA)
    await browser.post(form[1], data={"email": form[2]})
    await world.deliver()
    assert world.secret(LetterKind.RESET_PASSWORD) != first


@pytest.mark.parametrize("path", ASKED)
async def test_a_wrong_email_leads_back_to_its_form_filled_in(world: World, path: str) -> None:
    browser = await world.client(None)
    page = await _asked(browser, path)
    back = _link_to_correct(page)
    assert back == f"{path}?change=email"
    form = (await browser.get(back)).text
    assert f'value="{ADA}"' in form
    assert ('value="Ada Lovelace"' in form) == (path == "/register")
    assert "correct horse" not in form
    assert ADA not in (await browser.get(path)).text
    assert ADA not in (await (await world.client(None)).get(back)).text


async def test_the_cookie_is_short_lived_unread_by_scripts_and_gone_after_signing_in(world: World) -> None:
    browser = await world.client(None)
    sent = await browser.post("/register", data=SIGN_UP)
    kept = next(line for line in sent.headers.get_list("set-cookie") if line.startswith(cookies.SENT_LETTER))
    assert {"Max-Age=900", "HttpOnly", "SameSite=Lax"} <= set(kept.split("; "))
    assert "correct" not in kept
    await world.deliver()
    await browser.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    await browser.post("/login", data=SIGN_UP)
    assert not browser.cookies.get(cookies.SENT_LETTER)


async def test_the_longest_name_and_email_fit_into_it(world: World) -> None:
    browser = await world.client(None)
    fields = {**SIGN_UP, "name": "\N{DUCK}" * 255, "email": f"{'a' * 64}@{'b' * 60}.{'c' * 60}.example"}
    sent = await browser.post("/register", data=fields)
    assert len(next(line for line in sent.headers.get_list("set-cookie") if "sent_letter=" in line)) < 2300
    assert fields["email"] in (await browser.get("/checkemail")).text


GOOD = {"about": "reset", "email": ADA, "at": "1", "times": "1", "name": ""}
PLANTED = {
    "empty": "",
    "no form": "%zz",
    "too long": urlencode({**GOOD, "name": "a" * 2000}),
    "no email": urlencode({**GOOD, "email": "<script>"}),
    "unknown subject": urlencode({**GOOD, "about": "__class__"}),
    "from the future": urlencode({**GOOD, "at": str(10**12)}),
    "no number": urlencode({**GOOD, "at": "x"}),
    "too often": urlencode({**GOOD, "times": "999999999"}),
    "a field too many": urlencode({**GOOD, "more": "1"}),
    "not UTF-8": "about=reset&email=%ff&at=1&times=1&name=",
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
async def test_what_somebody_else_planted_is_ignored(world: World, planted: str) -> None:
    browser = await world.client(None)
    page = await browser.get("/checkemail", headers={"Cookie": f"{cookies.SENT_LETTER}={planted}"})
    assert page.status_code == 200
    assert "<strong>" not in page.text
    assert "If this email address has an account" in page.text


@pytest.mark.parametrize("path", ASKED)
async def test_the_cursor_stands_in_the_email_that_is_to_be_corrected(world: World, path: str) -> None:
    browser = await world.client(None)
    page = await _asked(browser, path)
    form = (await browser.get(_link_to_correct(page))).text
    (focused,) = re.findall(r"<input[^>]* autofocus[^>]*>", form)
    assert 'name="email"' in focused
