"""The whole story of second factors, from sign-up to factors that were reported lost and used after all, in two
languages: by real letters, an app, recovery codes and Chromium's virtual authenticator. The phone runs no script.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.harness.process import Running, given_keys, starting, text_of, wait_until_it_answers
from tests.harness.servers import free_port, wait_until
from tests.running.browser.factors import SECURITY, next_code, set_up_app, type_code
from tests.running.browser.operators import SECRET_KEY
from tests.running.browser.passkeys import Authenticator
from tests.running.browser.people import PASSWORD, Browsing, Labels, fresh_email, send_sign_in, sign_in, sign_up
from vestibule.web.pages.line_breaks import page_translations

NEW_PASSWORD = "another horse battery"
PHONE = "Mozilla/5.0 (iPhone) Safari/605"
NO_SUGGESTIONS_IF_ASKED = """if (localStorage.getItem("button"))
  PublicKeyCredential.isConditionalMediationAvailable = async () => false;"""
"""The virtual authenticator chooses among suggestions at once, so whoever wants the button has none."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Vestibule where people can report their second factors lost."""
    port, waits = free_port(), {"VESTIBULE_FACTOR_RESET_DAYS": "7", "VESTIBULE_SECRET_KEY": SECRET_KEY}
    settings = {**given_keys(), **waits, "VESTIBULE_URL": f"http://localhost:{port}"}
    with starting(tmp_path_factory.mktemp("server"), port=port, **settings) as running:
        wait_until_it_answers(running)
        yield running


@dataclass
class Ada:
    """Somebody with a laptop and a phone, and what she has to sign in with."""

    browsing: Browsing
    language: str
    email: str = field(default_factory=fresh_email)
    app: pyotp.TOTP | None = None
    codes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.laptop = self.browsing.page(locale=self.language)
        self.laptop.add_init_script(NO_SUGGESTIONS_IF_ASKED)
        Authenticator(self.laptop)
        self.phone = self.browsing.page(locale=self.language, java_script_enabled=False, user_agent=PHONE)

    @property
    def say(self) -> Labels:
        return page_translations(self.language).gettext

    def press(self, page: Page, name: str, lands: str) -> None:
        """Press a button, and wait until the page is there that it leads to: another `goto` would cut it off."""
        page.get_by_role("button", name=self.say(name), exact=True).first.click()
        page.wait_for_url(lands)

    def follow(self, page: Page, name: str, lands: str) -> None:
        """Follow a link."""
        page.get_by_role("link", name=self.say(name), exact=True).click()
        page.wait_for_url(lands)

    def is_told(self, page: Page, sentence: str) -> None:
        expect(page.get_by_role("status")).to_have_text(self.say(sentence))

    def is_mailed(self, sentence: str, **values: int) -> None:
        """Wait for a letter that says this."""
        told = self.say(sentence) % values

        def arrived() -> bool:
            mine = [letter for letter in self.browsing.server.letters if letter["To"] == self.email]
            return any(told in " ".join(text_of(letter).split()) for letter in mine)

        wait_until(arrived, f"a letter that says: {told}")

    def signs_out(self) -> None:
        self.press(self.laptop, "Sign out", "**/signedout**")


def begins(ada: Ada) -> None:
    """Sign up, confirm the email by the letter, and sign in on both devices."""
    sign_up(ada.laptop, ada.email, say=ada.say)
    ada.laptop.goto(ada.browsing.mailed(ada.email, "verifyemail"))
    ada.press(ada.laptop, "Confirm my email address", "**/profile?**")
    ada.is_told(ada.laptop, "Your email address is confirmed.")
    ada.signs_out()
    for page in (ada.laptop, ada.phone):
        sign_in(page, ada.email, say=ada.say)


def adds_an_app(ada: Ada) -> None:
    """Add an app by its key, keep the recovery codes, and sign in with password and code."""
    ada.app, ada.codes = set_up_app(ada.laptop, ada.say)
    ada.press(ada.laptop, "I have saved them", f"**{SECURITY}**")
    ada.signs_out()
    ada.laptop.goto("/login")
    send_sign_in(ada.laptop, ada.email, say=ada.say)
    expect(ada.laptop.get_by_role("heading", name=ada.say("Enter your code"))).to_be_visible()
    type_code(ada.laptop, next_code(ada.app), "Sign in", ada.say)
    ada.laptop.wait_for_url("**/profile")


def adds_a_passkey(ada: Ada) -> None:
    """Add a passkey, and sign in with it alone, by one touch."""
    ada.laptop.goto(SECURITY)
    ada.follow(ada.laptop, "Add a passkey", f"**{SECURITY}/passkeys/new")
    ada.press(ada.laptop, "Create a passkey", f"**{SECURITY}?**")
    ada.is_told(ada.laptop, "Your passkey is added.")
    ada.laptop.evaluate("localStorage.setItem('button', 'yes')")
    ada.signs_out()
    ada.laptop.goto("/login")
    ada.press(ada.laptop, "Sign in with a passkey", "**/profile")


def changes_the_password(ada: Ada) -> None:
    """On the phone, which has shown a password alone: a recovery code comes first, and a letter tells of it."""
    ada.phone.goto(SECURITY)
    ada.follow(ada.phone, "Change password", "**/reauthenticate?**")
    ada.follow(ada.phone, "Use a recovery code instead", "**/reauthenticate?**by=recovery_code**")
    ada.phone.get_by_label(ada.say("Recovery code"), exact=True).fill(ada.codes[3])
    ada.press(ada.phone, "Continue", f"**{SECURITY}/password")
    ada.is_mailed("Someone signed in to your account with a recovery code. %(left)s of 10 codes are left.", left=9)
    ada.phone.get_by_label(ada.say("Current password"), exact=True).fill(PASSWORD)
    ada.phone.get_by_label(ada.say("New password"), exact=True).fill(NEW_PASSWORD)
    ada.press(ada.phone, "Change password", f"**{SECURITY}?notice=password_changed")


def is_signed_in_by_a_suggestion(ada: Ada) -> None:
    """The new password has signed the laptop out. The sign-in page suggests the passkey, and the authenticator takes
    it.
    """
    ada.laptop.reload()
    ada.laptop.wait_for_url("**/signedout**")
    ada.laptop.evaluate("localStorage.removeItem('button')")
    ada.laptop.goto("/login")
    ada.laptop.wait_for_url("**/profile")


def removes_the_app(ada: Ada) -> None:
    """On the phone, and sign the laptop out in the same breath."""
    ada.phone.goto(SECURITY)
    ada.follow(ada.phone, "Remove authenticator app", f"**{SECURITY}/authenticator/remove")
    ada.phone.get_by_label(ada.say("Sign out all my other devices (%(number)s)") % {"number": 1}).check()
    ada.press(ada.phone, "Remove authenticator app", f"**{SECURITY}?**")
    ada.is_told(ada.phone, "The authenticator app was removed.")
    ada.laptop.reload()
    ada.laptop.wait_for_url("**/signedout**")


def reports_everything_lost(ada: Ada) -> None:
    """In a browser without a passkey, by the password and a mailed link."""
    page = ada.browsing.page(locale=ada.language, java_script_enabled=False)
    page.goto("/login")
    send_sign_in(page, ada.email, NEW_PASSWORD, ada.say)
    ada.follow(page, "I lost my phone", "**/login/second-step/lost**")
    ada.press(page, "Send me the link", "**/login/second-step/lost?sent=yes**")
    page.goto(ada.browsing.mailed(ada.email, "resetfactors"))
    ada.press(page, "I have lost them", "**/login?notice=factors_lost")


def finds_the_passkey_again(ada: Ada) -> None:
    """A factor that is used after all is not lost: nothing is removed, and a letter says so."""
    keep = ada.browsing.mailed(ada.email, "keepfactors")
    ada.laptop.goto("/login")
    ada.laptop.wait_for_url("**/profile")
    ada.is_mailed(
        "The removal of your authenticator app, passkeys and recovery codes was canceled, because one of them was used."
        " Nothing was changed."
    )
    ada.laptop.goto(SECURITY)
    expect(ada.laptop.locator("#passkey-list").get_by_role("listitem")).to_have_count(1)
    expect(ada.laptop.locator("#factor-reset")).to_have_count(0)
    ada.laptop.goto(keep)
    expect(ada.laptop.get_by_role("heading", name=ada.say("This link no longer works"))).to_be_visible()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_whole_story_of_second_factors(browsing: Browsing, language: str) -> None:
    ada = Ada(browsing, language)
    begins(ada)
    adds_an_app(ada)
    adds_a_passkey(ada)
    changes_the_password(ada)
    is_signed_in_by_a_suggestion(ada)
    removes_the_app(ada)
    reports_everything_lost(ada)
    finds_the_passkey_again(ada)
