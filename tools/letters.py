"""Take pictures of every letter as Chromium shows it, light and dark, wide and on a phone: `make letters`.

The pictures go to `pictures/`, for people to look at. Some of them, side by side, go to `docs/letters.png`.
"""

from base64 import b64encode
from collections.abc import Iterator
from typing import Literal

from playwright.sync_api import Browser

from tests.docs.paths import DOCS, ROOT
from tests.running.browser.chromium import chromium
from tests.unit.mail import RENDERER, a_letter
from vestibule.model.languages import LANGUAGES
from vestibule.model.letters import LetterKind

Scheme = Literal["light", "dark"]

FOLDER = ROOT / "pictures"
PAGE = DOCS / "letters.png"
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTHS = {"wide": 768, "phone": 360}
HEIGHT = 760
# Which of the pictures the documents show.
_SHOWN = (
    "verify_email-en-wide-light",
    "new_device-en-wide-dark",
    "reset_password-en-phone-dark",
    "email_changed-de-wide-light",
)
_GAP = 12
_ALL_SHOWN_WIDE = (3 * WIDTHS["wide"] + WIDTHS["phone"]) // 2 + 3 * _GAP


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with chromium() as browser:
        for kind, language, form, scheme in _views():
            name = f"{kind.value}-{language}-{form}-{scheme}"
            _take(browser, _html(kind, language), WIDTHS[form], scheme, name)
        context = browser.new_context(viewport={"width": _ALL_SHOWN_WIDE, "height": HEIGHT // 2})
        page = context.new_page()
        page.set_content(_side_by_side())
        page.screenshot(path=PAGE)
        context.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures are in {FOLDER.relative_to(ROOT)}/")


def _views() -> Iterator[tuple[LetterKind, str, str, Scheme]]:
    """Yield each letter in each language, width and color scheme."""
    for kind in LetterKind:
        for language in LANGUAGES:
            for form in WIDTHS:
                for scheme in SCHEMES:
                    yield kind, language, form, scheme


def _take(browser: Browser, html: str, width: int, scheme: Scheme, name: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page = context.new_page()
    page.set_content(html)
    page.screenshot(path=FOLDER / f"{name}.png")
    context.close()


def _html(kind: LetterKind, language: str) -> str:
    part = RENDERER.write(a_letter(kind, language=language)).get_body(("html",))
    assert part is not None
    return str(part.get_content())


def _side_by_side() -> str:
    """Return a page that shows some of the pictures beside each other."""
    files = [b64encode((FOLDER / f"{name}.png").read_bytes()).decode() for name in _SHOWN]
    pictures = "".join(f'<img src="data:image/png;base64,{file}" height="{HEIGHT // 2}">' for file in files)
    return f'<body style="margin:0;display:flex;gap:{_GAP}px;background:#ffffff">{pictures}'


if __name__ == "__main__":
    main()
