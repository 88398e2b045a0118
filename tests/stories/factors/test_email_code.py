"""Signing in by an emailed code: in the browser that asked for it, once, within ten minutes."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.harness import dump
from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.factors.codes import ADA, ASK, VERIFY, another, ask, asked, mailed_codes, typed, verified
from tests.stories.factors.test_second_step import reset_password
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.clean_up import clean_up
from vestibule.flows.delete_account import delete_account
from vestibule.flows.find_people import find_account
from vestibule.model.email_codes import GUESSES, LIFETIME, OF_ACCOUNT
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE

NOBODY = "nobody@example.com"
HERS = ("access_token", "refresh_token", "logged_in")


async def test_f49_a_code_signs_in_the_browser_that_asked(world: World) -> None:
    """F49: at level 1, with the method `otp`, once; case, spaces and hyphens do not matter."""
    await verified(world)
    browser = await world.client()
    answer = await ask(world, browser)
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("email_code=")
    assert "; HttpOnly" in cookie
    assert "; SameSite=Lax" in cookie
    (code,) = mailed_codes(world)
    assert await typed(browser, f" {code.upper().replace('-', ' ')} ") == "ok"
    assert "email_code" not in browser.cookies
    me = await browser.get("/api/users/me")
    assert me.status_code == 200
    rows = (await dump.tables(world))["sessions"]
    assert [row for row in rows if "otp" in row], rows


async def test_f49_a_code_is_used_once(world: World) -> None:
    """F49: not again, in the same browser with the same cookie; and its siblings in other browsers go with it."""
    await verified(world)
    browser, other = await world.client(), await world.client()
    code, sibling = await asked(world, browser), await asked(world, other)
    kept = browser.cookies["email_code"]
    assert await typed(browser, code) == "ok"
    again = await world.client()
    again.cookies.set("email_code", kept)
    assert await typed(again, code) == "email_code_used"
    assert await typed(other, sibling) == "email_code_used"
    assert not set(HERS) & set(again.cookies)


async def test_f49_of_many_at_once_one_signs_in(racing_world: World) -> None:
    """F49: one session begins."""
    world = racing_world
    await verified(world)
    browser = await world.client()
    code = await asked(world, browser)
    answers = await asyncio.gather(*(browser.post(VERIFY, json={"code": code}) for _ in range(GUESSES.times)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {200: 1, 403: GUESSES.times - 1}, [answer.text for answer in answers]
    assert len((await dump.tables(world))["sessions"]) == 1


async def test_f49_it_is_worth_nothing_in_another_browser(world: World) -> None:
    """F49: neither without a handle, nor with the handle of somebody who asked at the same time."""
    await verified(world)
    await verified(world, "bob@example.com")
    hers, thiefs = await world.client(), await world.client()
    code = await asked(world, hers)
    assert await typed(thiefs, code) == "email_code_elsewhere"
    await asked(world, thiefs)
    assert await typed(thiefs, code) == "email_code_wrong"
    await asked(world, thiefs, "bob@example.com")
    assert await typed(thiefs, code) == "email_code_wrong"
    thiefs.cookies.set("email_code", "v1.AAAA")
    assert await typed(thiefs, code) == "email_code_elsewhere"
    assert await typed(hers, code) == "ok"


async def test_f49_after_ten_minutes_it_is_late(world: World) -> None:
    """F49: from the moment it was asked for; a letter that was held up so long is not sent."""
    await verified(world)
    browser = await world.client()
    code = await asked(world, browser)
    world.clock.advance(seconds=LIFETIME.total_seconds() - 1)
    slow = await world.client()
    assert (await slow.post(ASK, json={"email": ADA})).status_code == 200
    world.clock.advance(seconds=1)
    assert await typed(browser, code) == "email_code_late"
    world.clock.advance(seconds=LIFETIME.total_seconds())
    before = len(world.mailer.letters)
    await world.deliver()
    assert len(world.mailer.letters) == before


async def _change_password(world: World) -> None:
    hers = await world.sign_in()
    fields = {"currentPassword": "correct horse", "password": "battery staple", "passwordConfirm": "battery staple"}
    assert (await hers.patch("/api/users/me/password", json=fields)).status_code == 200


async def _disable(world: World) -> None:
    await disable_account(world.env, COMMAND_LINE, await find_account(world.env, ADA))


async def _disable_and_enable(world: World) -> None:
    await _disable(world)
    await enable_account(world.env, COMMAND_LINE, await find_account(world.env, ADA))


async def _delete(world: World) -> None:
    await delete_account(world.env, COMMAND_LINE, await find_account(world.env, ADA))


async def _reset(world: World) -> None:
    await reset_password(world, await world.client())


@pytest.mark.parametrize("change", [_change_password, _disable, _disable_and_enable, _delete, _reset])
async def test_f49_a_change_of_the_account_ends_it(world: World, change: Callable[[World], Awaitable[None]]) -> None:
    """F49: with the epoch the code ends, whether it was mailed or not."""
    await verified(world)
    browser, slow = await world.client(), await world.client()
    code = await asked(world, browser)
    assert (await slow.post(ASK, json={"email": ADA})).status_code == 200
    await change(world)
    await world.deliver()
    assert [await typed(browser, code) for code in mailed_codes(world)[:1]] == ["email_code_wrong"]
    late = mailed_codes(world)[1:]
    assert len(late) == (1 if change is _reset else 0), "the reset mailed what was waiting, before it ended all"
    assert {await typed(slow, code) for code in late or [another(code)]} == {"email_code_wrong"}


async def test_f49_what_is_stored_or_mailed_later_gives_no_code(world: World) -> None:
    """F49: neither code nor handle is in the database, in any form that the browser or the mailbox has."""
    await verified(world)
    browser = await world.client()
    assert (await browser.post(ASK, json={"email": ADA})).status_code == 200
    waiting = str(await dump.tables(world))
    await world.deliver()
    stored = waiting + str(await dump.tables(world)) + str(await dump.replicated(world))
    (code,) = mailed_codes(world)
    for secret in (code, code.replace("-", ""), browser.cookies["email_code"]):
        assert secret not in stored


async def test_f49_an_account_has_thirty_codes_at_most_and_old_ones_are_deleted(world: World) -> None:
    """F49: one more voids the oldest."""
    await verified(world)
    oldest, known = await world.client(), await world.sign_in()
    code = await asked(world, oldest)
    for _ in range(OF_ACCOUNT):
        world.clock.advance(seconds=1)
        await asked(world, known)
    rows = [row for row in (await dump.tables(world))["one_time_tokens"] if "sign_in_code" in row]
    assert len(rows) == OF_ACCOUNT
    assert await typed(oldest, code) == "email_code_wrong"
    world.clock.advance(seconds=(POLICY.retention.one_time_tokens + LIFETIME + timedelta(seconds=1)).total_seconds())
    await clean_up(world.env)
    assert not [row for row in (await dump.tables(world))["one_time_tokens"] if "sign_in_code" in row]


async def test_f49_the_letter_has_no_link(world: World) -> None:
    """F49: a program that opens links signs nobody in, and a GET is no way to."""
    await verified(world)
    browser = await world.client()
    code = await asked(world, browser)
    message = world.mailer.messages[-1]
    for part in message.walk():
        if part.get_content_maintype() == "text":
            text = part.get_content()
            assert code in text
            assert "href" not in text
            assert "http" not in text.replace("http://www.w3.org", "")
    assert code not in message["Subject"]
    assert (await browser.get(VERIFY, params={"code": code})).status_code == 405


async def test_f49_switched_off_there_is_no_such_path(backend: Backend) -> None:
    """F49: with every method the answer is that for a path that never was."""
    async with world_on(backend, replace(POLICY, email_codes=False)) as world:
        browser = await world.client()
        for method in ("GET", "POST", "PUT"):
            for path in (ASK, VERIFY):
                answer = await browser.request(method, path, json={"email": ADA, "code": "00000000"})
                unknown = await browser.request(method, path + "x", json={})
                assert (answer.status_code, answer.json()["code"]) == (404, "route_unknown")
                assert answer.text == unknown.text.replace(f"{path}x", path)


async def test_f49_a_limited_request_leaves_the_last_code_good(backend: Backend) -> None:
    """F49: who presses twice is mailed one code, and it works."""
    letters = replace(POLICY.letters, to_email=replace(POLICY.letters.to_email, gap=timedelta(minutes=5)))
    async with world_on(backend, replace(POLICY, letters=letters)) as world:
        await verified(world)
        browser = await world.client()
        code = await asked(world, browser)
        await ask(world, browser)
        assert mailed_codes(world) == [code]
        assert await typed(browser, code) == "ok"
        signed_out = await world.client()
        assert await asked(world, signed_out) != code, "the next one may be asked for at once"


async def test_f49_other_codes_are_refused_in_words_of_their_own(world: World) -> None:
    """F49: what is no code costs no guess."""
    await verified(world)
    browser = await world.client()
    code = await asked(world, browser)
    for text in ("nonsense", "12", "", code + "0", "x" * 65):
        answer = await browser.post(VERIFY, json={"code": text})
        assert answer.status_code in {400, 403}
    assert await typed(browser, another(code)) == "email_code_wrong"
    assert await typed(browser, code) == "ok"


async def test_f49_signing_in_is_told_like_any_sign_in(world: World) -> None:
    """F49: events for the question, the wrong code and the sign-in; a letter for a new device; the old session ends."""
    await verified(world)
    first = await world.sign_in()
    code = await asked(world, first)
    assert await typed(first, another(code)) == "email_code_wrong"
    assert await typed(first, code) == "ok"
    kinds = Counter(row[2] for row in (await dump.tables(world))["events"])
    assert (kinds["email_code_requested"], kinds["email_code_refused"], kinds["signed_in"]) == (1, 1, 2), kinds
    stranger = await world.client()
    stranger.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
    assert await typed(stranger, await asked(world, stranger)) == "ok"
    await world.deliver()
    assert LetterKind.NEW_DEVICE in {letter.kind for letter in world.mailer.letters}
