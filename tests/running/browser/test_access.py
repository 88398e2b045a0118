"""For everybody: axe-core finds nothing on any page in either theme, and everything can be done by keyboard."""

from dataclasses import replace
from itertools import product

import pytest
from playwright.sync_api import Page, expect

from tests.harness.clock import ManualClock
from tests.running.browser.looks import found_in_all_looks, is_wider, widen
from tests.running.browser.people import PASSWORD, Browsing, comes_back, sign_in, somebody
from tests.unit.mail import SENDER, a_letter
from tests.unit.web.people import FILES
from vestibule.mail.letters import Renderer
from vestibule.model.brand import Brand
from vestibule.model.letters import LetterKind
from vestibule.web.map_reading import PAGES

NOT_PAGES = ("/", *FILES, "/static/pages.css", "/static/pages.js", "/static/logo")
SHOWN = sorted({page.path for page in PAGES if page.method == "GET"} - set(NOT_PAGES))
FOR_MEMBERS = [path for path in SHOWN if path.startswith("/profile")]
FOR_ALL = [path for path in SHOWN if not path.startswith(("/profile", "/admin"))]  # the console: test_console.py


def reset_link(browsing: Browsing, email: str) -> str:
    """A fresh link for choosing a new password."""
    with browsing.server.browser() as client:
        assert client.post("/api/auth/forgotpassword", json={"email": email}).status_code == 200
    return browsing.mailed(email, "resetpassword")


# A constructed sheet is no inline style, which the page's policy would refuse.
UNREADABLE = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("@media (prefers-color-scheme: dark) and (max-width: 400px) { label { color: #333 } }");
    document.adoptedStyleSheets = [sheet];
}"""


def rules_broken(page: Page) -> set[tuple[str, int, str]]:
    return {(theme, width, rule) for theme, width, (rule, _) in found_in_all_looks(page)}


def test_axe_would_find_something(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto("/login")
    page.evaluate(UNREADABLE)
    assert rules_broken(page) == {("dark", 360, "color-contrast")}
    page.evaluate("document.querySelector('label').remove(); document.documentElement.lang = ''")
    everywhere = product(("light", "dark"), (360, 1440), ("label", "html-has-lang"))
    assert rules_broken(page) >= set(everywhere)


def test_axe_finds_nothing_on_any_page(browsing: Browsing) -> None:
    page = browsing.page()
    seen = {}
    for path in FOR_ALL:
        page.goto(path.replace("{code}", "0" * 64).replace("{token}", "0" * 64))
        seen[path] = found_in_all_looks(page)  # of a link: the page of a dead one
    page.goto("/signedout?reason=refresh_token_reused")
    seen["signed out"] = found_in_all_looks(page)
    on_the_way = browsing.page()
    on_the_way.goto("/login?return_to=http://localhost:3000/orders")
    expect(on_the_way.get_by_role("link", name="Back to localhost:3000")).to_be_visible()
    seen["on the way from an app"] = found_in_all_looks(on_the_way)
    page.goto("/register")
    page.get_by_role("button", name="Sign up").click()
    comes_back(page)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    seen["faults"] = found_in_all_looks(page)
    email = somebody(browsing)
    page.goto(browsing.mailed(email, "verifyemail"))
    seen["verify"] = found_in_all_looks(page)
    page.goto(reset_link(browsing, email))
    seen["reset"] = found_in_all_looks(page)
    sign_in(browsing.page(), email)
    sign_in(page, email)
    for path in FOR_MEMBERS:
        page.goto(path)
        seen[path] = found_in_all_looks(page)
    page.goto("/profile/security?notice=device_signed_out")
    seen["notice"] = found_in_all_looks(page)
    assert {path: violations for path, violations in seen.items() if violations} == {}


def test_nothing_is_wider_than_the_screen(browsing: Browsing) -> None:
    page = browsing.page(locale="de")
    sign_in_page = browsing.page(locale="pt")
    email = somebody(browsing, "Wolfeschlegelsteinhausenbergerdorff " * 3)
    page.goto("/login")
    page.locator("input[type=email]").fill(email)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/profile")
    for tab, paths in ((page, FOR_MEMBERS), (sign_in_page, FOR_ALL)):
        for path in paths:
            tab.goto(path)
            for width in (320, 360, 768, 1440):
                widen(tab, width)
                assert not is_wider(tab, width), (path, width)


# What reaches past the screen, as text; a page that clips it is no wider.
BEYOND = """() => [...document.querySelectorAll("body *")].filter(each => {
    const box = each.getBoundingClientRect();
    return box.width && box.left >= 0 && box.right > document.documentElement.clientWidth + 0.5;
}).map(each => `${each.localName}: ${each.textContent.trim().slice(0, 40)}`)"""


# Whether the link that skips to the content, which has no focus, covers anything.
SHOWS_SKIP = (
    """() => [2, 8, 16].some((x) => [6, 20, 40].some((y) => document.elementFromPoint(x, y)?.matches(".skip")))"""
)


def with_large_text(browsing: Browsing, language: str) -> Page:
    """A page on a phone whose owner has doubled the browser's default font, 16 pixels."""
    page = browsing.page(viewport={"width": 320, "height": 800}, locale=language)
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    return page


def holds_large_text(tab: Page, width: int) -> None:
    assert tab.evaluate(BEYOND) == [], (tab.url, width)
    assert not tab.evaluate(SHOWS_SKIP), (tab.url, width)
    assert not is_wider(tab, width), (tab.url, width)
    for field in tab.locator("input[type=password]").all():
        assert field.evaluate("field => field.clientWidth") > 200, (tab.url, width)


@pytest.mark.parametrize("language", ["fr", "de"])
def test_nothing_is_wider_than_the_screen_with_text_twice_as_large(browsing: Browsing, language: str) -> None:
    """A password field has room for some characters, and long words may be hyphenated, as far as the browser can."""
    page, member = (with_large_text(browsing, language) for _ in range(2))
    email = somebody(browsing, "Wolfeschlegelsteinhausenbergerdorff Ada")
    member.goto("/login")
    assert member.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    assert member.evaluate("getComputedStyle(document.querySelector('h1')).hyphens") == "auto"
    member.locator("input[type=email]").fill(email)
    member.locator("input[type=password]").fill(PASSWORD)
    member.locator("main button[type=submit]").click()
    member.wait_for_url("**/profile")
    for tab, paths in ((member, FOR_MEMBERS), (page, FOR_ALL)):
        for path in paths:
            tab.goto(path.replace("{code}", "0" * 64).replace("{token}", "0" * 64))
            for width in (320, 360):
                widen(tab, width)
                holds_large_text(tab, width)


def test_no_letter_is_wider_than_a_phone(browsing: Browsing) -> None:
    page = browsing.page(viewport={"width": 360, "height": 740})
    renderer = Renderer(SENDER, Brand("Donaudampfschifffahrtsgesellschaftskapitänspatent"), ManualClock())
    longest = f"{'a' * 64}@{'.'.join(['b' * 61] * 3)}.de"
    for kind in LetterKind:
        letter = replace(a_letter(kind, "Wolfeschlegelsteinhausenbergerdorff", "de"), to=longest)
        html = renderer.write(letter).get_body(("html",))
        assert html is not None
        page.set_content(html.get_content())
        assert page.evaluate("document.documentElement.scrollWidth") == 360, kind


def test_signing_in_and_out_by_keyboard_with_the_focus_always_seen(browsing: Browsing) -> None:
    page = browsing.page()
    email = somebody(browsing)
    page.goto("/login")
    expect(page.get_by_label("Email address")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Shift+Tab")
    outlined = "getComputedStyle(document.activeElement).outlineStyle"
    order = []
    for _ in range(10):
        page.keyboard.press("Tab")
        assert page.evaluate(outlined) == "solid"
        order.append(page.evaluate("document.activeElement.id || document.activeElement.innerText.trim()"))
    wanted = ["Skip to the content", "Vestibule", "email", "password", "Show", "Forgot your password?", "Sign in"]
    assert order == [*wanted, "Sign in with a passkey", "Email me a code", "Sign up"]
    page.get_by_label("Email address").focus()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/profile")
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("You signed out.")).to_be_visible()


def test_a_password_can_be_pasted_and_judged(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto("/register")
    field = page.get_by_label("Password", exact=True)
    page.get_by_label("Name").fill(PASSWORD)
    page.get_by_label("Name").press("Control+a")
    page.get_by_label("Name").press("Control+c")
    field.press("Control+v")
    expect(field).to_have_value(PASSWORD)
    expect(page.get_by_text("Very good")).to_be_visible()
    field.fill("aaaaaaaa")
    expect(page.get_by_text("Easy to guess")).to_be_visible()


def test_password_managers_are_told_what_is_what(browsing: Browsing) -> None:
    page = browsing.page()
    wanted = {
        "/login": ["username webauthn", "current-password"],
        "/register": ["name", "username", "new-password"],
        reset_link(browsing, somebody(browsing)): ["username", "new-password"],
        "/forgotpassword": ["username"],
        "/login/email-code": ["username"],
    }
    for path, fields in wanted.items():
        page.goto(path)
        inputs = page.locator("main input:not([type=hidden])")
        assert [each.get_attribute("autocomplete") for each in inputs.all()] == fields


def test_a_language_is_chosen_and_stays(browsing: Browsing) -> None:
    page = browsing.page(locale="fr-FR")
    page.goto("/login?return_to=/profile/security")
    expect(page.get_by_role("heading", name="Se connecter")).to_be_visible()
    page.get_by_role("button", name="Deutsch").click()
    page.wait_for_url("**/login?return_to=/profile/security")
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "de"
    page.locator("input[type=email]").fill(somebody(browsing))
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.wait_for_url("**/profile/security")
    expect(page.get_by_role("heading", name="Wo Sie angemeldet sind")).to_be_visible()
