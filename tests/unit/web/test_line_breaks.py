"""Where the text of a page may break, and that emails keep the characters of the catalogues."""

import pytest

from tests.harness.clock import ManualClock
from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.mail import SENDER, a_letter
from tests.unit.web.people import ada
from vestibule.mail.letters import Renderer
from vestibule.model.brand import Brand
from vestibule.model.languages import LANGUAGES
from vestibule.web.map_reading import PAGES
from vestibule.web.pages.line_breaks import breakable

_HYPHEN = "\N{NON-BREAKING HYPHEN}"
WORDS = {"de": f"E{_HYPHEN}Mail{_HYPHEN}Adresse", "fr": f"adresse e{_HYPHEN}mail", "pt": f"e{_HYPHEN}mail"}
_OPEN = '<span translate="no">'  # the style lets no hyphen in there
_SHOWN = sorted({page.path for page in PAGES if page.method == "GET" and not page.path.startswith("/static/")})


@pytest.mark.parametrize("language", WORDS)
async def test_no_page_breaks_the_word_for_an_email(world: World, language: str) -> None:
    stranger, owner = await world.client(None), await ada(world)
    seen = []
    for client in (stranger, owner):
        client.headers["Accept-Language"] = language
        for path in _SHOWN:
            page = await client.get(path.replace("{code}", "0" * 64).replace("{token}", "0" * 64))
            seen.append(page.text)
    seen.append((await stranger.post("/register", data={"name": "", "email": "none", "password": "x"})).text)
    form = {"csrf": csrf_in(await owner.get("/profile/security/email")), "email": "none", "passwordCurrent": "x"}
    seen.append((await owner.post("/profile/security/email", data=form)).text)
    assert sum(WORDS[language] in page for page in seen) > 10
    assert [page for page in seen if "e-mail" in page.lower()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_email_has_plain_hyphens(language: str) -> None:
    letter = Renderer(SENDER, Brand("Acme"), ManualClock()).write(a_letter(language=language))
    for part in ("html", "plain"):
        body = letter.get_body((part,))
        assert body is not None
        assert _HYPHEN not in body.get_content()
        assert ("e-mail" in body.get_content().lower()) == (language in WORDS)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("ada@mail.example.com", f"{_OPEN}ada@<wbr>mail<wbr>.example<wbr>.com</span>"),
        ("You are ada.l@a.org. Go on.", f"You are {_OPEN}ada<wbr>.l@<wbr>a<wbr>.org</span>. Go on."),
        ("<b>&'@x.org", f"{_OPEN}&lt;b&gt;&amp;&#39;@<wbr>x<wbr>.org</span>"),
        ("", ""),
    ],
)
def test_an_email_address_may_break_at_its_at_and_its_dots(text: str, html: str) -> None:
    assert breakable(text) == html


@pytest.mark.parametrize(("path", "times"), [("/profile", 2), ("/profile/security", 1)])
async def test_the_pages_of_an_account_let_its_email_break(world: World, path: str, times: int) -> None:
    page = (await (await ada(world)).get(path)).text
    assert page.count(">ada@<wbr>example<wbr>.com") == times
    assert ">ada@example.com" not in page
