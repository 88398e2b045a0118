"""Where lines of text end on a phone."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page

from tests.running.browser.passkeys import Authenticator, add_passkey
from tests.running.browser.people import Browsing, fresh_email, sign_up
from tests.running.browser.test_access import FOR_ALL
from vestibule.web.pages.line_breaks import page_translations

EMAIL = "ada.lovelace.of.ockham@analytical.engines.example.com"
_SHOWS_EMAIL = {"/profile": ".who .soft", "/profile/security": "[aria-labelledby=sign-in] li:first-child p"}
_ENDS_INSIDE = re.compile(r"\b(e|e.mail)[-\u2011]$", re.IGNORECASE)
# The lines of the text in each element, as they are seen.
_LINES = """elements => elements.map(element => {
    const lines = [], walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let bottom = -Infinity;
    while (walker.nextNode()) for (let i = 0; i < walker.currentNode.length; i++) {
        const range = document.createRange();
        range.setStart(walker.currentNode, i);
        range.setEnd(walker.currentNode, i + 1);
        const box = range.getBoundingClientRect();
        if (!box.width) continue;
        if (box.top >= bottom) { lines.push(""); bottom = box.bottom; }
        lines[lines.length - 1] += range.toString();
    }
    return lines.map(line => line.trim());
})"""


def _lines(page: Page, selector: str) -> list[list[str]]:
    found: list[list[str]] = page.locator(selector).evaluate_all(_LINES)
    return found


@pytest.mark.parametrize("width", [320, 360])
def test_an_email_address_breaks_at_its_at_or_a_dot(browsing: Browsing, width: int) -> None:
    page = browsing.page(viewport={"width": width, "height": 740})
    sign_up(page, f"{width}.{EMAIL}")
    for path, selector in _SHOWS_EMAIL.items():
        page.goto(path)
        [lines] = _lines(page, selector)
        assert "".join(lines) == f"{width}.{EMAIL}"
        assert len(lines) > 1
        for before, after in pairwise(lines):
            assert before.endswith("@") or after.startswith(".")


@pytest.mark.parametrize("language", ["de", "fr", "pt"])
def test_no_line_ends_inside_the_word_for_an_email(browsing: Browsing, language: str) -> None:
    page = browsing.page(viewport={"width": 320, "height": 740}, locale=language)
    broken = []
    for path in FOR_ALL:
        page.goto(path.replace("{code}", "0" * 64).replace("{token}", "0" * 64))
        broken += [line for lines in _lines(page, "main p, main label") for line in lines if _ENDS_INSIDE.search(line)]
    assert broken == []


@pytest.mark.parametrize("language", ["de", "es", "fr", "pt"])
def test_no_word_breaks_within_a_button(browsing: Browsing, language: str) -> None:
    """On the page with the most buttons, where two stand side by side."""
    page = browsing.page(viewport={"width": 360, "height": 740}, locale=language)
    Authenticator(page)
    sign_up(page, fresh_email(), say=page_translations(language).gettext)
    add_passkey(page)
    page.goto("/profile/security")
    buttons = "main .button, main button"
    texts = [" ".join(text.split()) for text in page.locator(buttons).all_inner_texts()]
    assert [" ".join(lines) for lines in _lines(page, buttons)] == texts
