"""O42: the eight stories of `tests/stories/operators`, in a browser: an operator who knows nothing yet is told "I
cannot sign in", searches, reads one sentence on top, presses the button below it, and the person signs in.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.harness import mail_server
from tests.harness.mail_server import MailServer
from tests.harness.process import Running, given_keys, starting, wait_until_it_answers
from tests.harness.servers import free_port
from tests.running.browser import eight_reasons as given
from tests.running.browser.eight_reasons import Story
from tests.running.browser.operators import SECRET_KEY, at_console, find
from tests.running.browser.people import Browsing
from tests.stories.operators.test_by_command_line import STORIES
from vestibule.web.pages.line_breaks import page_translations

GERMAN = page_translations("de").gettext
TYPO = "typed the wrong email at sign-up"


@dataclass(frozen=True)
class Reason:
    """What happened; the sentence on top, as patterns in English and in German; the button; what the person does."""

    given: Callable[[Story], None]
    english: str
    german: str
    button: str
    then: Callable[[Story], None]


REASONS = {
    "never verified": Reason(
        given.never_verified,
        "The email address was never confirmed. The last link was sent on .+",
        "Die E-Mail-Adresse wurde nie bestätigt. Der letzte Link wurde am .+ geschickt.",
        "Confirm the email address",
        given.signs_in,
    ),
    "letter refused by the mail server": Reason(
        given.letter_refused,
        f"The mail server refused our email on .+: “.*{given.NO_MAILBOX}.*”.",
        f"Der Mailserver hat unsere E-Mail am .+ abgelehnt: „.*{given.NO_MAILBOX}.*“.",
        "Send a confirmation link",
        given.opens_and_signs_in,
    ),
    TYPO: Reason(
        given.email_mistyped,
        "The email address was probably typed wrong at sign-up: there is ada.+@exmaple.com, never confirmed.",
        "Die E-Mail-Adresse wurde bei der Registrierung wohl falsch eingegeben: Es gibt ada.+@exmaple.com, nie "
        "bestätigt.",
        "Change the email address",
        given.opens_and_signs_in,
    ),
    "too many wrong passwords": Reason(
        given.wrong_passwords,
        "Too many wrong passwords: on devices that are not known, none is checked any more. They came from "
        r"127\.0\.0\.1 \(4\).",
        "Zu viele falsche Passwörter: Auf unbekannten Geräten wird keines mehr geprüft. Sie kamen von "
        r"127\.0\.0\.1 \(4\).",
        "End the pause",
        given.signs_in,
    ),
    "disabled": Reason(
        given.disabled,
        "The account has been disabled since .+: “Left the company”.",
        "Das Konto ist seit .+ deaktiviert: „Left the company“.",
        "Enable the account",
        given.signs_in,
    ),
    "password forgotten and reset letters in the junk": Reason(
        given.reset_in_the_junk,
        "A link for a new password was sent on .+ and never used. It may be in the spam folder.",
        "Ein Link für ein neues Passwort wurde am .+ geschickt und nie benutzt. Er kann im Spam-Ordner liegen.",
        "Send a link for a new password",
        Story.chooses_a_password,
    ),
    "lost second factor": Reason(
        given.factor_lost,
        "The account needs a second step. One was last completed on .+",
        "Das Konto verlangt einen zweiten Schritt. Zuletzt wurde einer am .+ abgeschlossen.",
        "Turn off two-factor authentication",
        given.signs_in_a_day_later,
    ),
    "session ended as reused": Reason(
        given.session_reused,
        "The session was ended on .+, because it was used from two places. Signing in again works.",
        "Die Sitzung wurde am .+ beendet, weil sie von zwei Orten aus benutzt wurde. Eine neue Anmeldung funktioniert.",
        "Send a link for a new password",
        Story.chooses_a_password,
    ),
}


@pytest.fixture(scope="module")
def mail() -> Iterator[tuple[MailServer, int]]:
    """A mail server, and its port."""
    made = MailServer()
    with mail_server.running(made) as port:
        yield made, port


@pytest.fixture(scope="module")
def server(mail: tuple[MailServer, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Vestibule where nobody signs in before the email is verified, and few wrong passwords are too many."""
    port = free_port()
    settings = {
        **given_keys(),
        "VESTIBULE_SECRET_KEY": SECRET_KEY,
        "VESTIBULE_URL": f"http://localhost:{port}",
        "VESTIBULE_EMAIL_VERIFICATION": "mandatory",
        "VESTIBULE_PASSWORD_FAILURES": str(given.MOST_FAILURES),
        "VESTIBULE_CONSOLE": "password",
        "EMAIL_HOST": mail_server.HOST,
        "EMAIL_PORT": str(mail[1]),
        "VESTIBULE_EMAIL_SECURITY": "none",
    }
    with starting(tmp_path_factory.mktemp("server"), port=port, **settings) as running:
        wait_until_it_answers(running)
        yield running


@pytest.mark.parametrize("name", REASONS)
def test_o42_the_operator_finds_reads_presses_and_the_person_signs_in(
    browsing: Browsing, mail: tuple[MailServer, int], name: str
) -> None:
    reason, story, page = REASONS[name], Story(browsing, mail[0]), browsing.page()
    reason.given(story)
    at_console(browsing, page)
    find(page, story.email)
    if name != TYPO:
        page.get_by_role("link", name=story.email).click()
    says_on_top(page, reason.english)
    page.get_by_role("button", name="Deutsch").click()
    says_on_top(page, reason.german)
    press(page, GERMAN(reason.button))
    expect(page.get_by_role("status")).to_be_visible()
    reason.then(story)


def says_on_top(page: Page, sentence: str) -> None:
    """No heading stands between the title of the page and the sentence."""
    first = page.locator("main h2").first
    pattern = sentence.replace("-", "[-\u2011]")  # pages have hyphens at which no line breaks
    expect(first).to_have_text(re.compile(f"^{pattern}$"))
    expect(first).to_have_id("why")


def press(page: Page, button: str) -> None:
    """Press the button below the sentence, and the one on the page that asks."""
    page.locator("section", has=page.locator("#why")).get_by_role("link", name=button, exact=True).click()
    page.get_by_role("main").get_by_role("button", name=button, exact=True).click()


def test_o42_no_story_is_left_out() -> None:
    assert REASONS.keys() == STORIES.keys()
