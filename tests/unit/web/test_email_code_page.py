"""The pages for signing in by a mailed code, sent as a browser without a script sends them."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import FRONT_END, POLICY, World, world_on
from tests.stories.factors.codes import ADA, another, mailed_codes, verified
from tests.stories.required_factor import switch
from tests.unit.web.test_enrol_page import ENROL
from tests.unit.web.test_refused_forms import BROWSER
from tests.unit.web.test_second_step_page import STEP, ada_with_app
from vestibule.model.email_codes import GUESSES, LIFETIME
from vestibule.model.factor_attempts import EMAIL_CODE_LIMITS
from vestibule.model.factors import SecondFactorRule
from vestibule.model.letters import LetterKind
from vestibule.web.pages.email_code import PATH, TYPE_AT
from vestibule.web.pages.line_breaks import breakable

pytestmark = pytest.mark.any_engine
HERS = {"access_token", "refresh_token", "logged_in"}
WRONG = "This code is wrong. Use the one in the newest email, in the browser where you asked for it."


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    """Where another email to the same address takes a while."""
    letters = replace(POLICY.letters, to_email=replace(POLICY.letters.to_email, gap=timedelta(minutes=2)))
    async with world_on(backend, replace(POLICY, letters=letters)) as made:
        yield made


async def browser_of(world: World) -> httpx.AsyncClient:
    client = await world.client(None)
    client.headers.update(BROWSER)
    return client


async def ask(world: World, browser: httpx.AsyncClient, email: str = ADA, **more: str) -> httpx.Response:
    """Ask for a code on the page, and let it be mailed: the page that takes it."""
    hidden = dict(re.findall(r'name="(once)" value="(\w+)"', (await browser.get(PATH)).text))
    sent = await browser.post(PATH, data={"email": email, **hidden, **more})
    assert sent.status_code == 303, sent.text
    await world.deliver()
    return await browser.get(sent.headers["location"])


async def send(browser: httpx.AsyncClient, code: str, **more: str) -> httpx.Response:
    return await browser.post(TYPE_AT, data={"code": code, **more})


async def said(browser: httpx.AsyncClient, code: str) -> str:
    """What the page says at the field after this code."""
    answer = await send(browser, code)
    assert (answer.status_code, answer.headers["location"]) == (303, TYPE_AT)
    page = await browser.get(TYPE_AT)
    found = re.search(r'<p class="fault" id="code-fault" role="alert">([^<]*)</p>', page.text)
    assert found, page.text
    assert code not in page.text
    return html.unescape(found[1])


async def test_the_code_signs_in_and_leads_to_return_to(world: World) -> None:
    await verified(world)
    browser, target = await browser_of(world), f"{FRONT_END}/orders"
    link = re.search(r'href="(/login/email-code[^"]*)"', (await browser.get(f"/login?return_to={target}")).text)
    assert link
    browser.cookies.delete("return_to")
    form = await browser.get(html.unescape(link[1]))
    assert f'name="return_to" value="{target}"' in form.text
    page = await ask(world, browser, return_to=target)
    assert f'name="return_to" value="{target}"' in page.text
    (code,) = mailed_codes(world)
    assert (
        f"return_to={FRONT_END}".replace(":", "%3A").replace("/", "%2F")
        in (await send(browser, "x", return_to=target)).headers["location"]
    )
    answer = await send(browser, code.upper().replace("-", " "), return_to=target)
    assert (answer.status_code, answer.headers["location"]) == (303, target)
    assert set(browser.cookies) >= HERS
    assert not {"email_code", "sent_letter", "return_to"} & set(browser.cookies)
    for path in (PATH, TYPE_AT):
        assert (await browser.get(path)).headers["location"] == "/profile"


async def test_the_field_is_one_for_a_code_of_the_email(world: World) -> None:
    page = await ask(world, await browser_of(world))
    (field,) = re.findall(r'<input class="code"[^>]*>', page.text)
    assert 'autocomplete="one-time-code"' in field
    assert " autofocus" in field
    assert '<label for="code">Code from the email</label>' in page.text
    assert timedelta(minutes=10) == LIFETIME
    assert "It works for 10 minutes, in this browser only." in page.text
    assert f"<strong>{breakable(ADA)}</strong>" in page.text


async def test_asking_says_the_same_whether_there_is_an_account_or_not(world: World) -> None:
    unknown = await ask(world, await browser_of(world))
    await verified(world)
    world.clock.advance(minutes=2)
    known = await ask(world, await browser_of(world))
    assert len(mailed_codes(world)) == 1
    assert re.sub(r"[0-9a-f]{32}", "", known.text) == re.sub(r"[0-9a-f]{32}", "", unknown.text)


async def test_two_browsers_without_a_secret_share_no_handle(world: World) -> None:
    """Two phones behind one router, of the same make, where the same email is typed."""
    handles = set()
    for _ in range(2):
        browser = await browser_of(world)
        await ask(world, browser)
        handles.add(browser.cookies["email_code"])
    assert len(handles) == 2


async def test_the_email_stands_in_no_url_and_can_be_corrected(world: World) -> None:
    browser = await browser_of(world)
    page = await ask(world, browser, return_to="/profile/name")
    assert not re.search(r'(?:href|action)="[^"]*(?:@|%40)', page.text)
    back = re.search(r'href="([^"]+)">Wrong email\?', page.text)
    assert back
    form = await browser.get(html.unescape(back[1]))
    assert form.url.path == PATH
    (focused,) = re.findall(r"<input[^>]* autofocus[^>]*>", form.text)
    assert f'value="{ADA}"' in focused
    assert 'name="return_to" value="/profile/name"' in form.text
    assert ADA not in (await browser.get(PATH)).text


async def test_a_new_code_can_be_sent_after_the_wait_that_the_page_names(world: World) -> None:
    await verified(world)
    browser = await browser_of(world)
    page = await ask(world, browser, return_to="/profile/name")
    wait = re.search(r'data-countdown="(\d+)"', page.text)
    assert wait
    assert int(wait[1]) == world.env.policy.letters.to_email.gap.total_seconds()
    assert "You can send it again in 2 minutes. Reload this page then." in page.text
    assert re.search(r'<button class="second" type="submit" disabled>Send a new code', page.text)
    world.clock.advance(seconds=int(wait[1]))
    ready = (await browser.get(TYPE_AT, params={"return_to": "/profile/name"})).text
    assert "disabled" not in ready
    form = re.search(rf'<form class="otherwise" method="post" action="{PATH}">.*?</form>', ready, re.DOTALL)
    assert form
    fields = dict(re.findall(r'name="(\w+)" value="([^"]+)"', form[0]))
    assert re.fullmatch("[0-9a-f]{32}", fields.pop("once"))
    assert fields == {"email": ADA, "return_to": "/profile/name"}
    await ask(world, browser, **fields)
    first, second = mailed_codes(world)
    assert await said(browser, first) == WRONG
    assert (await send(browser, second)).headers["location"] == "/profile/name"


async def test_each_fault_of_a_code_has_its_own_words(world: World) -> None:
    await verified(world)
    browser = await browser_of(world)
    await ask(world, browser)
    (code,) = mailed_codes(world)
    assert await said(browser, another(code)) == WRONG
    kept = browser.cookies["email_code"]
    await send(browser, code)
    again = await browser_of(world)
    again.cookies.set("email_code", kept)
    assert await said(again, code) == "This code was used already. Have a new one sent."
    for _ in range(GUESSES.times):
        await send(again, another(code))
    assert await said(again, code) == "There were too many wrong codes. Have a new one sent."
    late = await browser_of(world)
    world.clock.advance(minutes=30)
    await ask(world, late)
    world.clock.advance(seconds=LIFETIME.total_seconds())
    assert await said(late, mailed_codes(world)[-1]) == "This code has expired. Have a new one sent."


async def test_too_many_wrong_ones_for_an_email_lead_to_the_password(world: World) -> None:
    """On a known device, which may ask for more codes than strangers."""
    await verified(world)
    browser = await browser_of(world)
    await browser.post("/login", data={"email": ADA, "password": "correct horse"})
    for name in HERS:
        browser.cookies.delete(name)
    for _ in range((EMAIL_CODE_LIMITS.at_most + EMAIL_CODE_LIMITS.of_a_device.at_most) // GUESSES.times):
        await ask(world, browser)
        for _ in range(GUESSES.times):
            assert await said(browser, "zzzz-zzzz") == WRONG
        world.clock.advance(seconds=world.env.policy.letters.to_email.gap.total_seconds())
    await ask(world, browser)
    assert (await said(browser, "zzzz-zzzz")).startswith("There were too many wrong codes for this email address. Sign")


async def test_in_another_browser_it_says_where_to_type_it(world: World) -> None:
    await verified(world)
    await ask(world, await browser_of(world))
    (code,) = mailed_codes(world)
    other = await browser_of(world)
    planted = await browser_of(world)
    planted.cookies.set("email_code", "v1.AAAA")
    answers = [await other.get(TYPE_AT), await send(other, code), await send(planted, code)]
    for answer in answers:
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?notice=code_elsewhere")
        assert not HERS & set(other.cookies)
    page = await other.get(answers[0].headers["location"])
    assert "No code was asked for in this browser. Open the page where you asked for it" in page.text
    assert 'type="email"' in page.text


async def test_a_second_factor_is_asked_for_after_it(world: World) -> None:
    mine, app, _ = await ada_with_app(world)
    await verify_email(world, mine)
    browser = await browser_of(world)
    await ask(world, browser)
    answer = await send(browser, mailed_codes(world)[-1], return_to="/profile/name")
    assert answer.headers["location"] == f"{STEP}?return_to=%2Fprofile%2Fname"
    assert not HERS & set(browser.cookies)
    assert "email_code" not in browser.cookies
    code = app.at(world.clock.now())
    answer = await browser.post(STEP, data={"code": code, "by": "totp", "return_to": "/profile/name"})
    assert answer.headers["location"] == "/profile/name"
    assert set(browser.cookies) >= HERS


async def test_a_factor_that_is_required_is_set_up_after_it(world: World) -> None:
    await verified(world)
    switch(world, SecondFactorRule.REQUIRED)
    browser = await browser_of(world)
    await ask(world, browser)
    answer = await send(browser, mailed_codes(world)[-1])
    assert answer.headers["location"] == ENROL
    assert not HERS & set(browser.cookies)
    assert "Protect your account" in (await browser.get(ENROL)).text


async def test_switched_off_the_pages_are_unknown_and_nothing_leads_there(backend: Backend) -> None:
    async with world_on(backend, replace(POLICY, email_codes=False)) as world:
        browser = await browser_of(world)
        assert "email-code" not in (await browser.get("/login")).text
        for method in ("GET", "POST", "PUT"):
            for path in (PATH, TYPE_AT):
                answer = await browser.request(method, path, data={"email": ADA, "code": "00000000"})
                unknown = await browser.request(method, f"{path}x", data={})
                assert answer.status_code == unknown.status_code == 404
                assert nonces_out(answer.text) == nonces_out(unknown.text).replace(f"{path}x", path)


def nonces_out(text: str) -> str:
    return re.sub(r"[0-9a-f]{32}", "", text)


async def verify_email(world: World, browser: httpx.AsyncClient | None = None) -> None:
    """Open the link that was mailed after signing up, in this browser or in one that nobody is signed in to."""
    client = browser or await world.client()
    answer = await client.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    assert answer.status_code == 200, answer.text
