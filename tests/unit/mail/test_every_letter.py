"""Each letter, in each language, with both kinds of subjects: short, wrapped, translated and complete."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from tests.harness.clock import ManualClock
from tests.unit.mail import CODES, DETAIL, LINKS, SECRETS, SENDER, a_letter
from tests.unit.mail.test_letters import BOTH_PARTS, arrived, part
from vestibule.mail.letters import Renderer
from vestibule.model.brand import Brand
from vestibule.model.languages import LANGUAGES
from vestibule.model.letters import REGISTERED_AGAIN, TAKEN_BACK, LetterKind
from vestibule.settings import reading
from vestibule.wiring import mailing

PRODUCT = "Analytical & Engines"
RENDERERS = {
    mode: Renderer(SENDER, Brand(PRODUCT), ManualClock(), contract_subjects=mode == "contract")
    for mode in ("clear", "contract")
}
OF_THE_CONTRACT = {
    LetterKind.VERIFY_EMAIL: "Your account verification code",
    LetterKind.RESET_PASSWORD: "Your password reset token (valid for only 10 minutes)",
}
LONGEST_SUBJECT, LONGEST_LINE, MOST_PARAGRAPHS = 60, 76, 9
PLACEHOLDER = re.compile(r"%\(|%s|\{\{|\{%|\}\}|None|cid:")
WHY = {
    LetterKind.RESET_PASSWORD: ("", REGISTERED_AGAIN, TAKEN_BACK),
}
LETTERS = [
    pytest.param(kind, language, mode, why, id="-".join(filter(None, (kind.value, language, mode, why))))
    for kind, language, mode in product(LetterKind, LANGUAGES, RENDERERS)
    for why in WHY.get(kind, ("",))
]


@pytest.mark.parametrize(("kind", "language", "mode", "why"), LETTERS)
def test_a_letter_is_short_and_complete(kind: LetterKind, language: str, mode: str, why: str) -> None:
    letter = replace(a_letter(kind, language=language), detail={**DETAIL, "why": why} if why else DETAIL)
    message = arrived(letter, RENDERERS[mode])
    subject, plain, html = message["Subject"], part(message, "plain"), part(message, "html")
    assert len(PRODUCT) == 20
    assert len(subject) <= LONGEST_SUBJECT
    if mode == "contract" and kind in OF_THE_CONTRACT:
        assert subject == OF_THE_CONTRACT[kind]
    else:
        assert PRODUCT in subject
    assert max(len(line) for line in plain.splitlines() if line != LINKS.get(kind)) <= LONGEST_LINE
    assert [line.strip() for line in plain.splitlines()].count(SECRETS[kind]) == 1
    if kind in LINKS:
        assert html.count(f'href="{LINKS[kind]}"') == 2
        assert f">{LINKS[kind]}</a>" in html
    else:
        assert f">{CODES[kind]}</p>" in html
        assert "href" not in html
    assert len(plain.split("\n\n")) <= MOST_PARAGRAPHS
    assert "\n\n\n" not in plain
    assert [text for text in (subject, plain, html) if PLACEHOLDER.search(text)] == []


@pytest.mark.parametrize("mode", RENDERERS)
def test_the_setting_chooses_the_subjects(mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VESTIBULE_EMAIL_SUBJECTS", mode)
    monkeypatch.setenv("VESTIBULE_PRODUCT_NAME", PRODUCT)
    of_the_settings = mailing.renderer(reading.read(), ManualClock())
    for kind in LetterKind:
        assert of_the_settings.subject(a_letter(kind)) == RENDERERS[mode].subject(a_letter(kind))


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_no_two_kinds_have_one_subject_and_none_is_english(language: str) -> None:
    clear = RENDERERS["clear"]
    subjects = [clear.subject(a_letter(kind, language=language)) for kind in LetterKind]
    assert len(set(subjects)) == len(LetterKind)
    assert not set(subjects) & {clear.subject(a_letter(kind)) for kind in LetterKind}


@pytest.mark.parametrize("why", ["", REGISTERED_AGAIN, TAKEN_BACK])
@pytest.mark.parametrize("form", BOTH_PARTS)
def test_a_reset_letter_says_why_the_password_is_gone(form: str, why: str) -> None:
    """Only a letter about a password that still works says that it stays the same."""
    letter = replace(a_letter(LetterKind.RESET_PASSWORD), detail={"why": why} if why else {})
    words = " ".join(part(arrived(letter), form).split())
    assert ("your password stays the same" in words) is (why == "")
    assert ("more than once" in words) is (why == REGISTERED_AGAIN)
    assert ("is yours again" in words) is (why == TAKEN_BACK)


@pytest.mark.parametrize("kind", [LetterKind.FACTOR_ADDED, LetterKind.FACTOR_REMOVED])
@pytest.mark.parametrize("form", BOTH_PARTS)
def test_a_letter_about_a_factor_says_which_it_is(kind: LetterKind, form: str) -> None:
    for factor, named, not_named in (
        ("totp", "authenticator app", "passkey"),
        ("passkey", "passkey", "authenticator app"),
    ):
        letter = replace(a_letter(kind), detail={**DETAIL, "factor": factor})
        words = " ".join(part(arrived(letter), form).split())
        assert named in words
        assert not_named not in words


@pytest.mark.parametrize("form", BOTH_PARTS)
def test_a_letter_about_a_recovery_code_says_how_many_are_left(form: str) -> None:
    letter = replace(a_letter(LetterKind.RECOVERY_CODE_USED), detail={**DETAIL, "left": "3"})
    assert "3 of 10 codes are left." in " ".join(part(arrived(letter), form).split())
