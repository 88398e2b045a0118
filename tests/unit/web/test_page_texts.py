"""What pages say of a session that ended, of mailed links and of devices, to the person who reads them."""

import re
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.web.people import ada
from tests.unit.web.test_dead_links import main_of
from vestibule.model.languages import LANGUAGES
from vestibule.model.letters import LetterKind
from vestibule.model.sessions import EndReason
from vestibule.web.pages.line_breaks import breakable
from vestibule.web.pages.template_loader import initials

pytestmark = pytest.mark.any_engine
APP = "http://localhost:3000/orders"
ADA, NEW = "ada@example.com", "new@example.com"
_BUTTON = re.compile(r'<button class="second" type="submit" aria-label="([^"]+)">([^<]+)</button>')


async def _changes_password(world: World) -> None:
    body = {"currentPassword": "correct horse", "password": "battery staple", "passwordConfirm": "battery staple"}
    assert (await (await world.sign_in()).patch("/api/users/me/password", json=body)).status_code == 200


async def _signs_out_elsewhere(world: World) -> None:
    assert (await (await world.sign_in()).delete("/api/users/me/sessions")).status_code == 200


ENDS: dict[str, tuple[Callable[[World], Awaitable[None]], str]] = {
    "password_changed": (
        _changes_password,
        "The password was changed. If this was not you, choose a new password with “Forgot your password?”.",
    ),
    "signed_out_elsewhere": (
        _signs_out_elsewhere,
        "You were signed out from another device. If this was not you, sign in and change your password.",
    ),
}


@pytest.mark.parametrize("end", ENDS)
async def test_who_comes_from_an_app_with_an_ended_session_is_told_why_once(world: World, end: str) -> None:
    client = await ada(world)
    ends, why = ENDS[end]
    await ends(world)
    page = await client.get("/login", params={"return_to": APP})
    assert why in main_of(page.text)
    assert why in (await client.get(f"/signedout?reason={end}")).text
    deleted = {each.partition("=")[0] for each in page.headers.get_list("set-cookie") if "Max-Age=0;" in each}
    for name in deleted:
        client.cookies.delete(name)
    assert "If this was not you" not in (await client.get("/login", params={"return_to": APP})).text


async def test_a_notice_of_what_was_just_done_says_it_alone(world: World) -> None:
    client = await ada(world)
    await _changes_password(world)
    assert "If this was not you" not in (await client.get("/login?notice=password_reset")).text


async def test_a_verification_link_names_its_email_and_a_dead_one_says_that_it_is_confirmed(world: World) -> None:
    client = await ada(world)
    link = f"/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}"
    page = main_of((await client.get(link)).text)
    assert f"Click the button to confirm that {breakable(ADA)} is your email address." in page
    assert (await client.post(link)).status_code == 303
    for name in (None, "access_token"):  # a browser deletes an access token that has expired
        if name:
            client.cookies.delete(name)
        page = main_of((await client.get(link)).text)
        assert "<h1>Your email address is confirmed</h1>" in page
        assert f"You are signed in as {breakable(ADA)}, which is confirmed." in page
        assert "/verifyemail" not in page
    assert ADA not in (await (await world.client(None)).get(link)).text


async def test_a_link_to_a_new_email_shows_both_one_below_the_other(world: World) -> None:
    client = await ada(world)
    body = {"currentPassword": "correct horse", "email": NEW}
    assert (await client.patch("/api/users/me/email", json=body)).status_code == 200
    await world.deliver()
    page = main_of((await client.get(f"/confirmemail/{world.secret(LetterKind.CONFIRM_NEW_EMAIL)}")).text)
    lines = re.findall(r"<dt>([^<]+)</dt><dd>(.+)</dd>", page)
    assert lines == [("Current email address", breakable(ADA)), ("New email address", breakable(NEW))]
    assert "You will be signed out everywhere." in page


async def test_who_asks_for_a_new_email_is_told_where_the_link_went(world: World) -> None:
    """Alike for an email that somebody has; and its own email is refused, which tells nothing about others."""
    client = await ada(world)
    await world.register("eve@example.com")
    form = {"csrf": csrf_in(await client.get("/profile/security/email")), "currentPassword": "correct horse"}
    for email in (NEW, "eve@example.com"):
        answer = await client.post("/profile/security/email", data=form | {"email": email})
        page = main_of((await client.get(answer.headers["location"])).text)
        assert f"We sent a link to {email}. Open it to complete the change." in page
        assert email not in (await client.get("/profile/security")).text
    before = len(world.mailer.letters)
    page = main_of((await client.post("/profile/security/email", data=form | {"email": "ADA@example.com"})).text)
    assert "This is your email address already." in page
    await world.deliver()
    assert ADA not in [letter.to for letter in world.mailer.letters[before:]]


async def test_who_takes_an_account_back_is_sent_to_the_mailbox_not_to_the_sign_in(world: World) -> None:
    client = await ada(world)
    await client.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    body = {"currentPassword": "correct horse", "email": NEW}
    assert (await client.patch("/api/users/me/email", json=body)).status_code == 200
    await world.deliver()
    link = f"/confirmemail/{world.secret(LetterKind.CONFIRM_NEW_EMAIL)}"
    assert (await client.post(link, data={"csrf": csrf_in(await client.get(link))})).status_code == 303
    await world.deliver()
    owner = await world.client(None)
    owner.headers["Sec-Fetch-Site"] = "same-origin"
    answer = await owner.post(f"/undoemail/{world.secret(LetterKind.EMAIL_CHANGED)}")
    page = main_of((await owner.get(answer.headers["location"])).text)
    assert "<h1>Check your email</h1>" in page
    assert "Your account is yours again. We sent you a link to choose a new password." in page
    assert str(breakable(ADA)) in page
    assert 'type="password"' not in page
    assert 'action="/forgotpassword"' in page


@pytest.mark.parametrize(("target", "kept"), [("/profile/delete", False), (APP, True)])
async def test_who_has_deleted_the_account_is_told_goodbye_and_leaves_no_way_into_it(
    world: World, target: str, kept: bool
) -> None:
    client = await ada(world)
    page = await client.get("/profile/delete", params={"return_to": target})
    form = {"csrf": csrf_in(page), "currentPassword": "correct horse"}
    answer = await client.post("/profile/delete", data=form)
    page = await client.get(answer.headers["location"])
    assert "<h1>Goodbye</h1>" in page.text
    assert "Your account was deleted." in page.text
    assert 'href="/login' not in page.text
    assert 'href="/register' in main_of(page.text)
    assert ("Back to localhost:3000" in page.text) is kept
    login = (await client.get("/login")).text
    assert "/profile/delete" not in main_of(login)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_button_of_another_device_is_called_what_is_seen_on_it(world: World, language: str) -> None:
    """WCAG 2.2, success criterion 2.5.3. It does not sign the reader out, which French says with another word."""
    client = await ada(world)
    await world.sign_in()
    client.headers["Accept-Language"] = language
    page = (await client.get("/profile/security")).text
    [(name, seen)] = _BUTTON.findall(page)
    assert name.startswith(seen)
    assert (language, seen != _sign_out_of(page)) in {(language, True), ("de", False), ("es", False), ("pt", False)}


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Ada Lovelace", "AL"), ("Zed <b>O'Neil</b>", "ZB"), ('(née) "żółć" _x_', "NX"), ("Ada Ada", "A"), ("?! *", "?")],
)
def test_initials_are_letters(name: str, shown: str) -> None:
    assert initials(name) == shown


def _sign_out_of(page: str) -> str:
    """What the button says that signs the reader out."""
    found = re.search(r'<button class="quiet" type="submit">([^<]+)</button></form>\s*</nav>', page)
    assert found
    return found[1]


async def test_the_title_of_a_page_with_faults_is_written_as_its_language_writes_it(world: World) -> None:
    client: httpx.AsyncClient = await world.client(None)
    client.headers["Accept-Language"] = "fr"
    page = await client.post("/register", data={"name": ""}, headers={"Sec-Fetch-Site": "same-origin"})
    assert ">À vérifier\N{NO-BREAK SPACE}: " in page.text


@pytest.mark.parametrize("end", EndReason)
async def test_a_page_that_names_the_reset_has_its_link(world: World, end: EndReason) -> None:
    shown = main_of((await (await world.client(None)).get(f"/signedout?reason={end}")).text)
    assert ("“Forgot your password?”" in shown) == ('href="/forgotpassword"' in shown)
