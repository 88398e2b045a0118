"""The pages of second factors, sent as a browser without a script sends them."""

import re
from datetime import timedelta
from http.cookiejar import Cookie

import httpx
import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.web.authenticator_app import APP, CODES, SECURITY, begin, codes_in, codes_shown, turn_on
from tests.unit.web.people import ada, ada_again
from tests.unit.web.test_second_step_page import with_second_step
from vestibule.flows.new_totp import SHOWN_FOR
from vestibule.web.pages.new_codes import SHOWN_SECONDS

pytestmark = pytest.mark.any_engine


async def test_an_app_is_set_up_with_one_code_and_recovery_codes_are_shown_and_downloaded(world: World) -> None:
    client = await ada(world)
    answer = await turn_on(world, client)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CODES}?notice=app_added")
    codes = await codes_shown(client)
    assert len(set(codes)) == 10
    assert await codes_shown(client) == codes, "a reload shows them again"
    file = await client.get(f"{CODES}/file")
    assert file.text.split() == codes
    assert file.headers["content-disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert file.headers["cache-control"] == "no-store"
    put_away = await client.post(CODES, data={"csrf": csrf_in(await client.get(CODES))})
    assert put_away.headers["location"] == SECURITY
    assert (await client.get(CODES)).headers["location"] == f"{CODES}/new"
    page = (await client.get(SECURITY)).text
    assert "10 of 10 left" in page
    assert "Remove authenticator app" in page


def with_kept(browser: httpx.AsyncClient, kept: Cookie) -> dict[str, str]:
    """The cookies of this browser's session, and the one that keeps recovery codes."""
    session = "; ".join(f"{name}={browser.cookies[name]}" for name in ("access_token", "refresh_token"))
    return {"Cookie": f"{session}; {kept.name}={kept.value}"}


async def test_new_recovery_codes_are_shown_for_some_minutes_to_their_session_alone(world: World) -> None:
    client, other = await ada(world), await ada_again(world)
    await turn_on(world, client)
    codes = await codes_shown(client)
    kept = next(cookie for cookie in client.cookies.jar if cookie.name == "recovery_codes")
    assert kept.path == CODES
    assert not any(code in str(kept.value) for code in codes)
    theirs = await other.get(CODES, headers=with_kept(other, kept))
    assert codes_in(theirs.text) == []
    world.clock.advance(seconds=SHOWN_SECONDS + 1)
    late = with_kept(client, kept)
    assert codes_in((await client.get(CODES, headers=late)).text) == []
    assert (await client.get(f"{CODES}/file", headers=late)).headers["location"] == f"{CODES}/new"


async def test_a_wrong_code_turns_nothing_on_and_shows_the_same_key_again(world: World) -> None:
    client = await ada(world)
    page, app = await begin(client)
    wrong = app.at(world.clock.now() + timedelta(minutes=5))
    for code, words in (
        (wrong, "This code is of another time."),
        ("0", "This code is wrong."),
        ("", "Enter the code."),
        ("7" * 65, "Use at most 64 characters."),
    ):
        answer = await client.post(APP, data={"csrf": csrf_in(page), "code": code})
        assert answer.status_code in {400, 403}
        assert words in answer.text
        assert wrong not in answer.text
    again = await client.get(APP)
    assert app.secret in again.text.replace(" ", "")
    spaced = app.at(world.clock.now())
    answer = await client.post(APP, data={"csrf": csrf_in(page), "code": f"{spaced[:3]} {spaced[3:]}"})
    assert answer.status_code == 303


async def test_a_key_is_not_shown_for_long(world: World) -> None:
    """Who finds the browser open later finds no key that its owner might still confirm."""
    client = await ada(world)
    _, app = await begin(client)
    world.clock.advance(seconds=SHOWN_FOR.total_seconds() + 1)
    client = await ada_again(world)
    page = await client.get(APP)
    assert page.status_code == 200
    assert app.secret not in page.text.replace(" ", "")


async def test_an_app_is_removed_and_its_recovery_codes_with_it(world: World) -> None:
    client, _ = await with_second_step(world)
    page = await client.get(f"{APP}/remove")
    answer = await client.post(f"{APP}/remove", data={"csrf": csrf_in(page)})
    assert answer.headers["location"] == f"{SECURITY}?notice=app_removed"
    again = await client.post(f"{APP}/remove", data={"csrf": csrf_in(page)})
    assert again.headers["location"] == SECURITY
    answer = await client.post(f"{CODES}/new", data={"csrf": csrf_in(page)})
    assert answer.headers["location"] == SECURITY


async def test_recovery_codes_are_made_anew(world: World) -> None:
    client, before = await with_second_step(world)
    answer = await client.post(f"{CODES}/new", data={"csrf": csrf_in(await client.get(SECURITY))})
    assert answer.headers["location"] == CODES
    after = await codes_shown(client)
    assert len(set(before) | set(after)) == 20


async def test_other_devices_are_signed_out_in_the_same_breath(world: World) -> None:
    client, other = await ada(world), await ada_again(world)
    page, _ = await begin(client)
    assert "Sign out all my other devices (1)" in page.text
    await turn_on(world, client, end_others="on")
    assert (await other.get("/profile")).headers["location"] == "/signedout?reason=signed_out_elsewhere"
    assert (await client.get("/profile")).status_code == 200


async def test_an_app_on_the_same_phone_is_the_first_way_of_a_narrow_screen(world: World) -> None:
    client = await ada(world)
    await begin(client)
    page = (await client.get(APP)).text
    link = re.search(r'<p class="on-phone"><a class="button second" href="(otpauth://totp/[^"]+)">', page)
    assert link, page
    assert page.index(link[0]) < page.index("QR code")
    assert "autofocus" not in page, "a phone would be scrolled past it"
