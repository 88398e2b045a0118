"""What a letter looks like, and that nothing somebody calls himself makes it look otherwise."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

import pytest

from tests.harness.clock import ManualClock
from tests.harness.mailer import BRAND
from tests.unit.mail import LINKS, RENDERER, SECRETS, SENDER, a_letter
from vestibule.mail.letters import Renderer, Sender
from vestibule.model.brand import Brand
from vestibule.model.languages import LANGUAGES
from vestibule.model.letters import NOTICES, Letter, LetterKind, NotSent

SUBJECTS = {
    LetterKind.VERIFY_EMAIL: "Confirm your email address for Vestibule",
    LetterKind.RESET_PASSWORD: "Reset your Vestibule password",
    LetterKind.CONFIRM_NEW_EMAIL: "Confirm your new email address for Vestibule",
    LetterKind.EMAIL_CHANGED: "Your Vestibule email address was changed",
    LetterKind.PASSWORD_CHANGED: "Your Vestibule password was changed",
    LetterKind.NEW_DEVICE: "New sign-in to your Vestibule account",
    LetterKind.TOKEN_REUSED: "You were signed out of Vestibule for your safety",
    LetterKind.FACTOR_ADDED: "New way to sign in to Vestibule",
    LetterKind.FACTOR_REMOVED: "A way to sign in to Vestibule was removed",
    LetterKind.RECOVERY_CODES_MADE: "New recovery codes for Vestibule",
    LetterKind.RECOVERY_CODE_USED: "A Vestibule recovery code was used",
    LetterKind.PASSKEY_MAY_BE_COPIED: "Vestibule: a passkey may have been copied",
    LetterKind.SECOND_FACTOR_PAUSED: "Vestibule: too many wrong codes",
    LetterKind.FACTORS_LOST: "Vestibule: lost your second factor?",
    LetterKind.FACTOR_RESET_BEGUN: "Vestibule: your second factor will be removed",
    LetterKind.FACTOR_RESET_CANCELED: "Vestibule: your second factor stays",
    LetterKind.FACTORS_RESET: "Vestibule: your second factor was removed",
    LetterKind.SIGN_IN_CODE: "Your Vestibule sign-in code",
    LetterKind.ACTING_BEGUN: "Vestibule: an administrator signed in as you",
    LetterKind.EMAIL_TAKEN: "You already have an account with Vestibule",
    LetterKind.INVITATION: "Your invitation to Vestibule",
    LetterKind.TEST: "Test email from Vestibule",
}
PROMISES = {
    LetterKind.VERIFY_EMAIL: "24 hours",
    LetterKind.RESET_PASSWORD: "10 minutes",
    LetterKind.CONFIRM_NEW_EMAIL: "24 hours",
    LetterKind.EMAIL_CHANGED: "24 hours",
    LetterKind.FACTOR_ADDED: "3 days",
    LetterKind.FACTORS_LOST: "24 hours",
    LetterKind.FACTOR_RESET_BEGUN: "November 24, 2026",
    LetterKind.SIGN_IN_CODE: "10 minutes",
    LetterKind.INVITATION: "1 week",
}
HOURS = {"en": "3 hours", "de": "3 Stunden", "fr": "3 heures", "es": "3 horas", "pt": "3 horas"}
TELLS_OF_A_DEVICE = {*NOTICES, LetterKind.FACTORS_LOST} - {LetterKind.FACTORS_RESET, LetterKind.ACTING_BEGUN}
TO_BE_ACTED_ON = {
    LetterKind.TOKEN_REUSED,
    LetterKind.PASSKEY_MAY_BE_COPIED,
    LetterKind.SECOND_FACTOR_PAUSED,
    LetterKind.FACTORS_LOST,
}
BOTH_PARTS = ("plain", "html")


class Links(HTMLParser):
    """Where the links of a page lead, and every element it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: set[str | None] = set()
        self.elements: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.targets |= {value for name, value in attrs if name in {"href", "src"}}


def arrived(letter: Letter, renderer: Renderer = RENDERER) -> EmailMessage:
    """The letter as it is read at the other end."""
    return cast(EmailMessage, message_from_bytes(renderer.write(letter).as_bytes(), policy=policy.default))


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


@pytest.mark.parametrize("kind", LetterKind)
def test_the_headers_say_from_whom_to_whom_and_what(kind: LetterKind) -> None:
    message = arrived(a_letter(kind))
    assert dict(message.items()) | {"Content-Type": ""} == {
        "From": "Vestibule <no-reply@vestibule.example>",
        "To": "ada@example.com",
        "Subject": SUBJECTS[kind],
        "Date": "Mon, 23 Nov 2026 23:09:51 +0000",
        "Message-ID": "<0a1b2c3d-0000-4000-8000-000000000000@vestibule.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": "",
    }
    assert message.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("form", BOTH_PARTS)
def test_each_part_greets_and_has_its_secret_and_says_how_long_it_is_good(kind: LetterKind, form: str) -> None:
    words = " ".join(part(arrived(a_letter(kind)), form).split())  # as it reads, wherever lines are broken
    assert "Hello Ada," in words
    assert SECRETS[kind] in words
    assert PROMISES.get(kind, "") in words
    assert "no action is needed" in words.lower() or kind in TO_BE_ACTED_ON
    assert "This email was sent to ada@example.com by Vestibule." in words
    told = "Firefox, Windows" in words and "192.0.2.7" in words and "November 23, 2026" in words
    assert told == (kind in TELLS_OF_A_DEVICE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
def test_every_letter_is_written_in_every_language(kind: LetterKind, language: str) -> None:
    english, letter = (arrived(a_letter(kind, language=tag)) for tag in ("en", language))
    assert letter["Content-Language"] == language
    for form in BOTH_PARTS:
        words, in_english = part(letter, form), part(english, form)
        assert "Ada" in words
        assert SECRETS[kind] in words
        assert (words == in_english) == (language == "en")
        assert words.count("\n\n") == in_english.count("\n\n")  # the same paragraphs
    assert f'<html lang="{language}">' in part(letter, "html")
    assert (letter["Subject"] == english["Subject"]) == (language == "en")


@pytest.mark.parametrize("kind", LetterKind)
def test_the_page_links_to_one_place_at_most_and_loads_nothing(kind: LetterKind) -> None:
    assert Links(part(arrived(a_letter(kind)), "html")).targets == ({LINKS[kind]} if kind in LINKS else set())


FIRST_NAMES = {
    "Ada Lovelace": "Hello Ada,",
    "Ada": "Hello Ada,",
    "  Ada  Lovelace ": "Hello Ada,",
    "Ångström Anders": "Hello Ångström,",
    "Marie-Claire Dupont": "Hello Marie-Claire,",
    "D'Arcy": "Hello D'Arcy,",
    "李 小龙": "Hello 李,",
    "": "Hello,",
    "   ": "Hello,",
}


@pytest.mark.parametrize(("name", "greeting"), FIRST_NAMES.items(), ids=FIRST_NAMES)
def test_the_greeting_has_the_first_name(name: str, greeting: str) -> None:
    assert part(arrived(a_letter(name=name)), "plain").startswith(greeting)


HOSTILE_NAMES = [
    "https://evil.example",
    "https://evil.example/?a=b Lovelace",
    "www.evil.example",
    "evil.example/free",
    "ada@evil.example",
    "<a href='https://evil.example'>Ada</a>",
    "<script>alert(1)</script>",
    "<img/src=//evil.example/x>",
    "{{link}}",
    "{%include'frame.html'%}",
    "Ada\r\nBcc:everybody@evil.example",
    "\r\nBcc:everybody@evil.example",
    "Ada\u2028Bcc:everybody@evil.example",
    "\x1b[31mAda",
    "Youhavewonaprizeandneedonlycalltoclaimitnow",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_stays_harmless(name: str) -> None:
    """M13, O10: a hostile name stays harmless."""
    ordinary, hostile = arrived(a_letter()), arrived(a_letter(name=name))
    assert {**dict(hostile.items()), "Content-Type": ""} == {**dict(ordinary.items()), "Content-Type": ""}
    assert len(hostile.items()) == len(ordinary.items())
    ordinary_page, page = part(ordinary, "html"), part(hostile, "html")
    assert Links(page).targets == Links(ordinary_page).targets
    assert Links(page).elements == Links(ordinary_page).elements
    for form in BOTH_PARTS:
        assert "evil" not in part(hostile, form)
        assert "prize" not in part(hostile, form)
        assert part(hostile, form).count("{") == part(ordinary, form).count("{")


@pytest.mark.parametrize("kind", LetterKind)
def test_every_attempt_carries_the_same_message_id(kind: LetterKind) -> None:
    clock = ManualClock()
    renderer = Renderer(SENDER, BRAND, clock)
    first = renderer.write(a_letter(kind))
    clock.advance(minutes=5)
    second = renderer.write(a_letter(kind))
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] != second["Date"]


def test_no_line_is_longer_than_a_mail_server_takes() -> None:
    letter = Letter("id", LetterKind.VERIFY_EMAIL, "ada@example.com", 255 * "ß", "https://e.example/" + 900 * "a")
    lines = RENDERER.write(letter).as_bytes().split(b"\r\n")
    assert max(map(len, lines)) <= 998  # RFC 5322, section 2.1.1


@pytest.mark.parametrize("control", ["\r\n", "\n", "\r", "\0"], ids=ascii)
def test_no_control_reaches_a_header(control: str) -> None:
    hostile = f"ada@example.com{control}Bcc: everybody@evil.example"
    with pytest.raises(NotSent, match="cannot be written"):
        RENDERER.write(replace(a_letter(), to=hostile))
    with pytest.raises(ValueError, match="is not a sender such as"):
        Sender.parse(f"Ada{control}Bcc: x <a@example.com>", "Vestibule")


def test_the_product_is_the_operators() -> None:
    logo = b"\x89PNG\r\n\x1a\n the rest of a picture"
    message = arrived(a_letter(), Renderer(SENDER, Brand("Analytical & Engines", "#ffcc00", logo), ManualClock()))
    page = part(message, "html")
    assert "Analytical &amp; Engines" in page
    assert "#ffcc00" in page
    assert "color:#111111" in page  # white would not be readable on it
    assert 'src="cid:logo"' in page
    (picture,) = (piece for piece in message.walk() if piece.get_content_maintype() == "image")
    assert (picture["Content-ID"], picture.get_payload(decode=True)) == ("<logo>", logo)
    assert "by Analytical & Engines." in part(message, "plain")


def test_a_template_of_the_operators_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "verify_email.txt").write_text(
        '{% extends "frame.txt" %}{% block subject %}Welcome{% endblock %}'
        "{% block content %}Do: {{ link }}{% endblock %}"
    )
    renderer = Renderer(SENDER, BRAND, ManualClock(), tmp_path)
    message = arrived(a_letter(), renderer)
    assert message["Subject"] == "Welcome"
    assert f"Do: {LINKS[LetterKind.VERIFY_EMAIL]}" in part(message, "plain").splitlines()
    assert "Confirm email address" in part(message, "html")
    assert arrived(a_letter(LetterKind.NEW_DEVICE), renderer)["Subject"] == SUBJECTS[LetterKind.NEW_DEVICE]


SENDERS = {
    "Example <no-reply@example.com>": Sender("Example", "no-reply@example.com"),
    '"Example, Inc." <no-reply@example.com>': Sender("Example, Inc.", "no-reply@example.com"),
    "no-reply@example.com": Sender("Vestibule", "no-reply@example.com"),
}


@pytest.mark.parametrize(("text", "sender"), SENDERS.items(), ids=SENDERS)
def test_a_sender_is_read(text: str, sender: Sender) -> None:
    assert Sender.parse(text, "Vestibule") == sender


@pytest.mark.parametrize("text", ["", "Example", "Example <>", "Example\r\nBcc: x@evil.example <a@example.com>"])
def test_what_is_no_sender_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a sender such as"):
        Sender.parse(text, "Vestibule")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_says_in_every_language_how_long_its_link_works(language: str) -> None:
    letter = replace(a_letter(LetterKind.RESET_PASSWORD), language=language, link_lifetime=timedelta(hours=3))
    message = arrived(letter)
    for text in (part(message, "plain"), part(message, "html")):
        assert HOURS[language] in text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("language", "moment"),
    [
        ("en", "November 23, 2026, 10:11 AM UTC"),
        ("de", "23. November 2026, 10:11 UTC"),
        ("es", "23 de noviembre de 2026, 10:11 UTC"),
        ("fr", "23 novembre 2026, 10:11 UTC"),
        ("pt", "23 de novembro de 2026, 10:11 UTC"),
    ],
)
def test_a_moment_is_named_to_the_minute_in_utc_as_on_the_pages(language: str, moment: str) -> None:
    message = arrived(a_letter(LetterKind.NEW_DEVICE, language=language))
    for form in ("plain", "html"):
        assert moment in part(message, form).replace("\N{NARROW NO-BREAK SPACE}", " ")
