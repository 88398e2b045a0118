"""What others may try: forms on other sites, addresses that lead away, and text that wants to be code."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.running.browser.people import PASSWORD, Browsing, comes_back, fresh_email, sign_in, somebody
from tests.unit.web.hostile_targets import HOSTILE
from vestibule.web.pages.return_to import with_query

XSS = (
    "<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '" onfocus=alert(1) autofocus x="',
    "</title><svg onload=alert(1)>",
    "</textarea><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 191 }}{% raw %}",
    "<!--<img src=--><img src=x onerror=alert(1)//>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<a href=javascript:alert(1)>x</a>",
    "\u202e<b onmouseover=alert(1)>",
)


@contextmanager
def another_site(html: str) -> Iterator[str]:
    """A page on another origin, and on another site: an address is none of localhost's."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize(
    "path", ["/logout", "/login", "/profile/delete", "/profile/security/sessions", "/profile/security/password"]
)
def test_a_form_on_another_site_changes_nothing(browsing: Browsing, path: str) -> None:
    page = browsing.page()
    email = somebody(browsing)
    sign_in(page, email)
    fields = {
        "email": "eve@example.com",
        "currentPassword": PASSWORD,
        "password": PASSWORD,
        "passwordConfirm": PASSWORD,
    }
    inputs = "".join(f"<input name={name} value='{value}'>" for name, value in fields.items())
    with another_site(
        f"<form method=post action='{browsing.base}{path}'>{inputs}<button>Win a prize</button></form>"
    ) as site:
        page.goto(site)
        page.get_by_role("button").click()
        page.wait_for_url(f"**{path}")
        expect(page.get_by_role("heading", name="Nothing was changed")).to_be_visible()
    page.goto("/profile")
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()


def test_another_site_cannot_show_a_page_of_ours_in_a_frame(browsing: Browsing) -> None:
    page = browsing.page()
    with another_site(f"<iframe src='{browsing.base}/login'></iframe>") as site:
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(site)
        assert "Sign in" not in page.frames[-1].content()
    browsing.complaints.clear()


def test_a_sign_in_leads_nowhere_but_home(browsing: Browsing) -> None:
    page = browsing.page()
    email = somebody(browsing)
    sign_in(page, email)
    for target in HOSTILE:
        # Signed in already, so that the page leads on at once.
        page.goto(with_query("/login", return_to=target))
        assert urlsplit(page.url)[:3] == ("http", f"localhost:{browsing.server.port}", "/profile"), ascii(target)


def test_a_form_that_was_tampered_with_leads_home_too(browsing: Browsing) -> None:
    page = browsing.page()
    email = somebody(browsing)
    for target in ("//evil.example", "https://evil.example/", "/\\evil.example"):
        page.context.clear_cookies()
        page.goto("/login?return_to=/profile/security")
        page.evaluate("target => { document.querySelector('main [name=return_to]').value = target; }", target)
        page.get_by_label("Email address").fill(email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url("**/profile")


def armed(page: Page) -> list[str]:
    """What runs although it should not."""
    ran: list[str] = []
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    return ran


def test_text_is_never_code(browsing: Browsing) -> None:
    """B6: what is typed, and what stands in a URL, on every page that shows it."""
    page = browsing.page()
    ran = armed(page)
    for text in XSS:
        page.goto("/register")
        page.get_by_label("Name").fill(text)
        page.get_by_label("Email address").fill(text)
        page.get_by_role("button", name="Sign up").click()
        comes_back(page)
        expect(page.get_by_label("Name")).to_have_value(text)
        expect(page.get_by_label("Email address")).to_have_value(text)
        for path in ("/login", "/forgotpassword", "/verifyemail"):
            page.goto(path)
            page.get_by_label("Email address").fill(text)
            page.locator("main form button[type=submit]").click()
            comes_back(page)
            expect(page.get_by_label("Email address")).to_have_value(text)
        for path in ("/login", "/signedout", "/checkemail", "/register"):
            page.goto(with_query(path, **dict.fromkeys(("notice", "reason", "about"), text)))
            page.goto(with_query(path, return_to=text))
    assert ran == []


def test_a_name_and_a_browser_are_shown_as_text(browsing: Browsing) -> None:
    """B6: what is kept of somebody, in text, in attributes, and in the file of one's data."""
    for text in XSS[:6]:
        email = fresh_email()
        body = {"name": text, "email": email, "password": PASSWORD, "passwordConfirm": PASSWORD}
        with browsing.server.browser() as client:
            assert client.post("/api/auth/register", json=body).status_code == 201
        page = browsing.page(user_agent=text)
        ran = armed(page)
        sign_in(page, email)
        expect(page.locator(".who h2")).to_have_text(text)
        page.goto("/profile/security")
        assert ran == []
