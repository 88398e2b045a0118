"""Pictures of every letter as Chromium shows it, light and dark, wide and on a phone: `make letters`.

They go to `pictures/`, to be looked at; and some of them, side by side, to `docs/letters.png`.
"""

import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from email.message import EmailMessage
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.generate import DOCS, ROOT
from tests.mail import STATIONERY, a_letter
from vestibule.model.languages import LANGUAGES
from vestibule.model.letters import LetterKind

FOLDER = ROOT / "pictures"
PAGE = DOCS / "letters.png"
WIDE, PHONE, COMPOSITE = (640, 760), (360, 760), (1160, 380)
LIGHT, DARK = "light", "dark"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Which of the pictures the documents show.
_SHOWN = ("verify_address-wide-light", "new_device-wide-dark", "reset_password-phone-dark", "address_changed-de")


def main() -> None:
    """Take them all."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        sys.exit("There is no Chromium on the PATH. On Debian: apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="vestibule-pictures-") as profile:
        for name, html, size, scheme in _views():
            take(browser, profile, html, FOLDER / f"{name}.png", size, scheme)
        take(browser, profile, _side_by_side(), PAGE, COMPOSITE, LIGHT)
    print(f"{len(list(FOLDER.glob('*.png')))} pictures are in {FOLDER.relative_to(ROOT)}/")


def take(browser: str, profile: str, html: str, file: Path, size: tuple[int, int], scheme: str) -> None:
    """Show a page, and keep what is seen."""
    page = Path(profile) / "page.html"
    page.write_text(html)
    command = [browser, *_QUIET, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"]
    if scheme == DARK:
        command.append("--blink-settings=preferredColorScheme=0")
    subprocess.run([*command, f"--screenshot={file}", page.as_uri()], check=True, capture_output=True, timeout=60)


def _views() -> Iterator[tuple[str, str, tuple[int, int], str]]:
    """Each letter in each way of looking at it, and in each language once."""
    for kind in LetterKind:
        for scheme in (LIGHT, DARK):
            yield f"{kind.value}-wide-{scheme}", _html(kind, "en"), WIDE, scheme
            yield f"{kind.value}-phone-{scheme}", _in_a_phone(_html(kind, "en")), PHONE, scheme
        for language in LANGUAGES:
            yield f"{kind.value}-{language}", _html(kind, language), WIDE, LIGHT


def _html(kind: LetterKind, language: str) -> str:
    message = STATIONERY.write(a_letter(kind, language=language))
    part = message.get_body(("html",))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def _in_a_phone(html: str) -> str:
    """In a frame as wide as a phone, because Chromium has no window as narrow as one."""
    width, height = PHONE
    frame = f'<iframe srcdoc="{escape(html)}" width="{width}" height="{height}" style="border:0"></iframe>'
    return f'<body style="margin:0;color-scheme:light dark">{frame}'


def _side_by_side() -> str:
    """Some of the pictures in one."""
    files = [b64encode((FOLDER / f"{name}.png").read_bytes()).decode() for name in _SHOWN]
    pictures = "".join(f'<img src="data:image/png;base64,{file}" height="{WIDE[1] // 2}">' for file in files)
    return f'<body style="margin:0;display:flex;gap:12px;background:#ffffff">{pictures}'


if __name__ == "__main__":
    main()
