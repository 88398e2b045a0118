"""What the script adds to pages, and what a small screen asks for."""

import base64
import re

import pytest
from playwright.sync_api import Page, expect

from tests.running.browser.people import PASSWORD, Browsing, sign_in, somebody
from tests.running.browser.test_access import FOR_ALL, FOR_MEMBERS
from vestibule.model.languages import LANGUAGES

SMALLEST_TARGET = 24  # px: WCAG 2.2, success criterion 2.5.8
_TARGETS = "a:not(.skip), button, summary, input:not([type=hidden])"
_SIZES = """elements => elements
    .map(element => [element.textContent.trim() || element.id, element.getBoundingClientRect()])
    .filter(([, box]) => box.width && Math.min(box.width, box.height) < %d).map(([name]) => name)"""
_ROWS = """elements => {
    const boxes = elements.map(element => element.getBoundingClientRect());
    return boxes.filter((box, i) => i === 0 || box.top >= boxes[i - 1].bottom).length;
}"""
# The colour in the middle of the filled part, as red, green and blue.
_PIXEL = """async png => {
    const image = new Image();
    image.src = "data:image/png;base64," + png;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.width;
    canvas.height = image.height;
    const drawn = canvas.getContext("2d");
    drawn.drawImage(image, 0, 0);
    return [...drawn.getImageData(Math.round(image.width / 10), Math.round(image.height / 2), 1, 1).data].slice(0, 3);
}"""


def _meter_colour(page: Page) -> tuple[int, int, int]:
    red, green, blue = page.evaluate(_PIXEL, base64.b64encode(page.locator("meter").screenshot()).decode())
    return red, green, blue


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_meter_is_red_for_what_is_easy_to_guess_and_green_for_what_is_not(browsing: Browsing, theme: str) -> None:
    page = browsing.page(color_scheme=theme)
    page.goto("/register")
    field = page.get_by_label("Password", exact=True)
    field.fill("password")
    expect(page.get_by_text("Easy to guess")).to_be_visible()
    red, green, _ = _meter_colour(page)
    assert red > green
    field.fill("correct horse battery")
    expect(page.get_by_text("Very good")).to_be_visible()
    red, green, _ = _meter_colour(page)
    assert green > red


def test_times_are_in_the_readers_zone_with_utc_on_hover(browsing: Browsing) -> None:
    page = browsing.page(timezone_id="Asia/Kolkata", locale="de")
    plain = browsing.page(timezone_id="Asia/Kolkata", locale="de", java_script_enabled=False)
    email = somebody(browsing)
    for each in (page, plain):
        each.goto("/login")
        each.locator("input[type=email]").fill(email)
        each.locator("input[type=password]").fill("correct horse battery")
        each.locator("main button[type=submit]").click()
        each.wait_for_url("**/profile")
    said = plain.locator("dl time").inner_text()
    assert said.endswith(" UTC")
    there = page.locator("dl time")
    assert there.get_attribute("title") == said
    utc, local = (re.findall(r"(\d+):(\d+)", text)[0] for text in (said, there.inner_text()))
    ahead = (int(local[0]) * 60 + int(local[1])) - (int(utc[0]) * 60 + int(utc[1]))
    assert ahead % (24 * 60) == 5 * 60 + 30
    page.goto("/profile/security")
    plain.goto("/profile/security")
    times = plain.locator("time").all_inner_texts()
    assert len(times) >= 3  # the device, and two events
    assert all(time.endswith(" UTC") for time in times)
    assert not any(time.endswith(" UTC") for time in page.locator("time").all_inner_texts())


def test_no_target_is_too_small_to_hit(browsing: Browsing) -> None:
    page = browsing.page(viewport={"width": 360, "height": 740})
    small = {}
    email = somebody(browsing)
    for path in (*FOR_ALL, "/nowhere"):
        page.goto(path.replace("{code}", "0" * 64).replace("{token}", "0" * 64))
        small[path] = page.locator(_TARGETS).evaluate_all(_SIZES % SMALLEST_TARGET)
    sign_in(browsing.page(), email)
    sign_in(page, email)
    for path in FOR_MEMBERS:
        page.goto(path)
        small[path] = page.locator(_TARGETS).evaluate_all(_SIZES % SMALLEST_TARGET)
    assert {path: names for path, names in small.items() if names} == {}


def test_a_busy_account_stays_short_on_a_phone_and_opens_without_a_script(browsing: Browsing) -> None:
    email = somebody(browsing)
    for _ in range(8):
        sign_in(browsing.page(), email)
    page = browsing.page(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    sign_in(page, email)
    page.goto("/profile/security")
    rows = page.locator("#device-list li")
    assert sum(row.is_visible() for row in rows.all()) == 3
    assert page.locator("body").bounding_box()["height"] < 2600  # type: ignore[index]  # a body has a box
    page.locator("#device-list summary").click()
    assert sum(row.is_visible() for row in rows.all()) == 9


@pytest.mark.parametrize("script", [True, False], ids=["with_script", "without_script"])
def test_an_email_can_be_sent_again_after_a_wait_that_is_seen(browsing: Browsing, script: bool) -> None:
    page = browsing.page(java_script_enabled=script)
    if script:
        page.clock.install()
    page.goto("/forgotpassword")
    page.get_by_label("Email address").fill("nobody@example.com")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_text("nobody@example.com")).to_be_visible()
    again = page.get_by_role("button", name="Send it again")
    expect(again).to_be_disabled()
    if script:
        expect(page.get_by_text(re.compile(r"You can send it again in \d:\d\d\."))).to_be_visible()
        page.clock.run_for(5 * 60 * 1000)
        expect(again).to_be_enabled()
    else:
        expect(page.get_by_text("You can send it again in 5 minutes. Reload this page then.")).to_be_visible()
    page.get_by_role("link", name="Wrong email?").click()
    expect(page.get_by_label("Email address")).to_have_value("nobody@example.com")


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tabs_stand_in_one_row_on_a_phone(browsing: Browsing, language: str, width: int) -> None:
    page = browsing.page(viewport={"width": width, "height": 740}, locale=language)
    page.goto("/login")
    page.locator("input[type=email]").fill(somebody(browsing))
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/profile")
    assert page.locator("nav a, nav button").evaluate_all(_ROWS) == 1
