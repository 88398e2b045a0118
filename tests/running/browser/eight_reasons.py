"""Eight people who cannot sign in, each for another reason, at a server with a real mail server behind it."""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from email import message_from_bytes

from playwright.sync_api import BrowserContext, expect

from tests.harness.mail_server import MailServer
from tests.harness.process import Running, text_of
from tests.harness.servers import WAIT_SECONDS, wait_until
from tests.running.browser.factors import set_up_app, type_code
from tests.running.browser.operators import command
from tests.running.browser.people import PASSWORD, Browsing, fresh_email, send_sign_in, sign_in, sign_up
from vestibule.model.letters import LetterKind

NEW_PASSWORD = "another horse battery"
NO_MAILBOX = "550 5.1.1 No such mailbox"
WRONG = "The email address or the password is wrong."
MOST_FAILURES = 3
"""How many wrong passwords the server of these stories allows."""
_A_DAY_LATER = (
    "UPDATE factor_resets SET due_at = datetime(due_at, '-25 hours') || '.000000'"
    " WHERE account_id = (SELECT id FROM accounts WHERE email = ?)"
)
_SETTLED = (
    "SELECT 1 FROM letters JOIN accounts ON accounts.id = letters.account_id"
    " WHERE accounts.email = ? AND letters.kind = ? AND coalesce(letters.settled_at, letters.refused_at) IS NOT NULL"
)


@dataclass
class Story:
    """Somebody at a browser, and what the mail server does with their letters."""

    browsing: Browsing
    mail: MailServer

    def __post_init__(self) -> None:
        self.email = fresh_email()
        self.page = self.browsing.page()

    def mailed(self, path: str) -> str:
        """The newest link to `path` that the mail server took for this person."""
        found: list[str] = []

        def arrived() -> bool:
            letters = [message_from_bytes(content) for content in self.mail.contents]
            mine = [text_of(letter) for letter in letters if letter["To"] == self.email]
            found[:] = [link for text in mine for link in re.findall(rf"http://\S+/{path}/[0-9a-f]{{64}}\b", text)]
            return bool(found)

        wait_until(arrived, f"a letter to {self.email} with a link to /{path}/")
        return found[-1]

    def opens_the_link(self) -> None:
        self.page.goto(self.mailed("verifyemail"))
        self.page.get_by_role("button", name="Confirm my email address").click()
        expect(self.page.get_by_role("status")).to_have_text("Your email address is confirmed.")

    def signs_up(self) -> None:
        sign_up(self.page, self.email, to="**/checkemail**")

    def signs_up_and_in(self) -> None:
        self.signs_up()
        self.opens_the_link()
        sign_in(self.page, self.email)

    def is_refused(self, password: str = PASSWORD) -> None:
        """Try to sign in on a device that is not known."""
        self.page = self.browsing.page()
        self.page.goto("/login")
        send_sign_in(self.page, self.email, password)
        expect(self.page.get_by_text(WRONG)).to_be_visible()

    def chooses_a_password(self) -> None:
        self.page.goto(self.mailed("resetpassword"))
        self.page.get_by_label("New password").fill(NEW_PASSWORD)
        self.page.get_by_role("main").get_by_role("button", name="Use this password").click()
        self.page.wait_for_url("**/login?notice=password_reset")
        sign_in(self.page, self.email, NEW_PASSWORD)


def never_verified(story: Story) -> None:
    story.signs_up()
    story.mailed("verifyemail")
    story.is_refused()


def letter_refused(story: Story) -> None:
    """By the mail server, for good; it has the mailbox by the time that the operator sends another letter."""
    story.mail.answers["RCPT"] = NO_MAILBOX
    story.signs_up()
    wait_until(lambda: f"RCPT {story.email}" in story.mail.commands, "the mail server to be asked")
    story.is_refused()
    _wait_until_settled(story, LetterKind.VERIFY_EMAIL)
    del story.mail.answers["RCPT"]


def _wait_until_settled(story: Story, kind: LetterKind) -> None:
    """Wait until it is written down that the mail server took a letter, or refused it."""
    with closing(_database(story.browsing.server)) as database:
        asked = (story.email, kind.value)
        wait_until(lambda: bool(database.execute(_SETTLED, asked).fetchall()), f"{kind.value} to be settled")


def email_mistyped(story: Story) -> None:
    """The person tells the operator the email that was meant."""
    meant = story.email.replace("@example", f"-{story.email.partition('@')[0]}@example")
    story.email = meant.replace("@example", "@exmaple")
    story.signs_up()
    story.email = meant
    story.is_refused()


def wrong_passwords(story: Story) -> None:
    story.signs_up_and_in()
    for _ in range(MOST_FAILURES):
        story.is_refused("not the password")
    story.is_refused()


def disabled(story: Story) -> None:
    story.signs_up_and_in()
    command(story.browsing, "users", "disable", story.email, "--reason", "Left the company")
    story.is_refused()


def reset_in_the_junk(story: Story) -> None:
    story.signs_up_and_in()
    story.page = story.browsing.page()
    story.page.goto("/forgotpassword")
    story.page.get_by_label("Email address").fill(story.email)
    story.page.get_by_role("button", name="Send me a link").click()
    story.mailed("resetpassword")
    del story.mail.contents[:]  # it is in the junk, so the next one is the operator's


def factor_lost(story: Story) -> None:
    story.signs_up_and_in()
    set_up_app(story.page)
    story.page = story.browsing.page()
    story.page.goto("/login")
    send_sign_in(story.page, story.email)
    type_code(story.page, "000000", "Sign in")
    expect(story.page.get_by_role("alert").first).to_be_visible()


def session_reused(story: Story) -> None:
    """A thief uses a copied refresh token after its owner has used it."""
    story.signs_up_and_in()
    copied = story.page.context.cookies()
    for _ in range(2):
        assert _refresh(story, story.page.context) == 200
    thief = story.browsing.device()
    thief.add_cookies(copied)
    assert _refresh(story, thief) == 403
    story.page.goto("/profile")
    story.page.wait_for_url("**/signedout**")


def _refresh(story: Story, device: BrowserContext) -> int:
    """Refresh as an app does; the status of the answer."""
    return device.request.post("/api/auth/refresh", headers={"Origin": story.browsing.base}).status


def signs_in(story: Story) -> None:
    sign_in(story.page, story.email)


def opens_and_signs_in(story: Story) -> None:
    story.opens_the_link()
    signs_in(story)


def signs_in_a_day_later(story: Story) -> None:
    """The owner is told, and keeps nothing. The day passes in the database, because the server's clock is real."""
    _wait_until_settled(story, LetterKind.FACTOR_RESET_BEGUN)
    with closing(_database(story.browsing.server)) as database, database:
        assert database.execute(_A_DAY_LATER, (story.email,)).rowcount == 1
    signs_in(story)


def _database(server: Running) -> sqlite3.Connection:
    return sqlite3.connect(server.folder / "vestibule-data" / "vestibule.sqlite3", timeout=WAIT_SECONDS)
