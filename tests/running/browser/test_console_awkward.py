"""O43: two hundred awkward names, on every screen of the console that shows one, break none and run no script."""

import csv
from pathlib import Path

from playwright.sync_api import Page

from tests.harness.process import run
from tests.running.browser.awkward import AWKWARD
from tests.running.browser.operators import PEOPLE, SECRET_KEY, at_console
from tests.running.browser.people import Browsing
from vestibule.web.console.acts import ACTS

WIDTH = 360
INJECTED = "main :is(script, img, svg, iframe, object, style, base, meta, math, marquee, plaintext, textarea)"


def import_them(browsing: Browsing, file: Path) -> dict[str, str]:
    """Make an account for each; their names by their ids."""
    people = {f"awkward-{number:03}": name for number, name in enumerate(AWKWARD)}
    with file.open("w", newline="", encoding="utf-8") as opened:
        rows = csv.writer(opened)
        rows.writerow(["id", "email", "name", "verified", "provider"])
        rows.writerows([key, f"{key}@example.com", name, "true", "google"] for key, name in people.items())
    settings = {"PORT": str(browsing.server.port), "VESTIBULE_SECRET_KEY": SECRET_KEY}
    done = run(browsing.server.folder, "users", "import", str(file), **settings)
    assert f"Imported {len(people)} accounts" in done.stdout + done.stderr, done.stdout + done.stderr
    return people


def whole(page: Page) -> bool:
    """Whether the page is as wide as the screen, ends with its footer, and has no element that was typed."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    return wide <= WIDTH and page.locator("body > footer").count() == 1 and page.locator(INJECTED).count() == 0


def test_o43_awkward_names_break_no_screen(browsing: Browsing, tmp_path: Path) -> None:
    people = import_them(browsing, tmp_path / "people.csv")
    page, dialogs = browsing.page(viewport={"width": WIDTH, "height": 800}), []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    at_console(browsing, page)
    at, seen = f"{PEOPLE}?search=awkward-", 0
    while at:
        page.goto(at)
        assert whole(page), at
        seen += page.locator("tbody tr").count()
        onward = page.locator("a[rel=next]")
        at = (onward.get_attribute("href") or "") if onward.count() else ""
    assert seen == len(people)
    acts = [act.slug for act in ACTS if act.slug in {"disable", "delete", "send-reset"}]
    for number, (key, name) in enumerate(people.items()):
        page.goto(f"{PEOPLE}/{key}", wait_until="domcontentloaded")
        assert page.locator("h1").text_content() == name.replace("\r", "\n")
        assert whole(page), name
        page.goto(f"{PEOPLE}/{key}/{acts[number % len(acts)]}", wait_until="domcontentloaded")
        assert whole(page), name
    assert dialogs == []
