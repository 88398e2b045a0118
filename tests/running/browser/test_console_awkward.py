"""O43: two hundred awkward names, on every screen of the console that shows one, break none and run no script."""

import csv
import json
import sqlite3
from pathlib import Path

from playwright.sync_api import Page

from tests.harness.process import run
from tests.running.browser.awkward import AWKWARD
from tests.running.browser.operators import PEOPLE, SECRET_KEY, at_console
from tests.running.browser.people import Browsing
from vestibule.web.console.acts import ACTS

WIDTH = 360
INJECTED = "main :is(script, img, svg, iframe, object, style, base, meta, math, marquee, plaintext, textarea)"


def import_them(browsing: Browsing, file: Path, prefix: str = "awkward") -> dict[str, str]:
    """Make an account for each; their names by their ids."""
    people = {f"{prefix}-{number:03}": name for number, name in enumerate(AWKWARD)}
    with file.open("w", newline="", encoding="utf-8") as opened:
        rows = csv.writer(opened)
        rows.writerow(["id", "email", "name", "verified", "provider"])
        rows.writerows([key, f"{key}@example.com", name, "true", "google"] for key, name in people.items())
    settings = {"PORT": str(browsing.server.port), "VESTIBULE_SECRET_KEY": SECRET_KEY}
    done = run(browsing.server.folder, "users", "import", str(file), **settings)
    assert f"Imported {len(people)} accounts" in done.stdout + done.stderr, done.stdout + done.stderr
    return people


NOW, LATER = "2026-01-01 00:00:00.000000", "2096-01-01 00:00:00.000000"
_SESSION = (
    "INSERT INTO sessions (id, account_id, user_agent, network_address, created_at, last_seen_at, issued_at,"
    " idle_expires_at, expires_at, current, parent, base) VALUES (?1, ?1, ?2, ?2, ?3, ?3, ?3, ?4, ?4, 1, 0, 0)"
)
_EVENT = (
    "INSERT INTO events (at, kind, account_id, session_id, network_address, detail)"
    " VALUES (?1, 'account_disabled', ?2, ?3, ?3, ?4)"
)
_LETTER = (
    "INSERT INTO letters (id, kind, account_id, created_at, due_at, attempts, refused_at, last_fault, email, detail)"
    " VALUES (?1, 'password_changed', ?1, ?2, ?2, 1, ?2, ?3, ?3, '{}')"
)
_SERVICE = "INSERT INTO service_keys (name, digest, created_at) VALUES (?1, ?1, ?2)"


def say_it_everywhere(browsing: Browsing, people: dict[str, str]) -> None:
    """Write the name of each into whatever others choose: past all rules, as an older version or a hand might have."""
    at = browsing.server.folder / "vestibule-data" / "vestibule.sqlite3"
    with sqlite3.connect(at, timeout=60) as database:
        for key, text in people.items():
            email = f"{key}@{text}"
            database.execute(
                "UPDATE accounts SET email = ?, disabled_reason = ?, disabled_at = ? WHERE id = ?",
                (email, text, NOW, key),
            )
            database.execute(_SESSION, (key, text, NOW, LATER))
            database.execute(_EVENT, (LATER, key, text, json.dumps({"reason": text, text: text})))
            database.execute(_LETTER, (key, NOW, text))
            database.execute(_SERVICE, (f"{text}{key}", NOW))


def whole(page: Page) -> bool:
    """Whether the page is as wide as the screen, ends with its footer, and has no element that was typed."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    return wide <= WIDTH and page.locator("body > footer").count() == 1 and page.locator(INJECTED).count() == 0


def test_o43_awkward_names_break_no_screen(browsing: Browsing, tmp_path: Path) -> None:
    people = import_them(browsing, tmp_path / "people.csv")
    page, dialogs = browsing.page(viewport={"width": WIDTH, "height": 800}), []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    at_console(browsing, page)
    assert rows_on(page, f"{PEOPLE}?search=awkward-", "tbody tr") == len(people)
    acts = [act.slug for act in ACTS if act.slug in {"disable", "delete", "send-reset"}]
    for number, (key, name) in enumerate(people.items()):
        page.goto(f"{PEOPLE}/{key}", wait_until="domcontentloaded")
        assert page.locator("h1").text_content() == name.replace("\r", "\n")
        assert whole(page), name
        page.goto(f"{PEOPLE}/{key}/{acts[number % len(acts)]}", wait_until="domcontentloaded")
        assert whole(page), name
    assert dialogs == []


def test_o87_awkward_texts_of_others_break_no_screen(browsing: Browsing, tmp_path: Path) -> None:
    """O87: user agents, reasons, network addresses, words of mail servers, emails, and names of services."""
    people = import_them(browsing, tmp_path / "people.csv", "texts")
    say_it_everywhere(browsing, people)
    page, dialogs = browsing.page(viewport={"width": WIDTH, "height": 800}), []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    at_console(browsing, page)
    for at, row in (
        (f"{PEOPLE}?search=texts-", "tbody tr"),
        ("/admin/events?kind=account_disabled&since=2095-01-01T00:00", "main .rows > li"),
        ("/admin/letters?only=refused", "main .rows > li"),
        ("/admin/services", "main .rows > li"),
    ):
        assert rows_on(page, at, row) >= len(people), at
    for key, text in people.items():
        page.goto(f"{PEOPLE}/{key}", wait_until="domcontentloaded")
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert whole(page), text
    assert dialogs == []


def rows_on(page: Page, at: str, row: str) -> int:
    """How many rows all pages of a list have, from this one on; each page is whole, with all details open."""
    seen = 0
    while at:
        page.goto(at, wait_until="domcontentloaded")
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert whole(page), at
        seen += page.locator(row).count()
        onward = page.locator("a[rel=next]")
        at = (onward.get_attribute("href") or "") if onward.count() else ""
    return seen
