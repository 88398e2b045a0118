"""docs/comparison.md: each statement about another project has a source of that project's own, and the page its day."""

import re
from datetime import date, datetime

import pytest

from tests.docs.paths import DOCS, ROOT

PAGE = (DOCS / "comparison.md").read_text()
README = (ROOT / "README.md").read_text()
OWN_SOURCES = {
    "Keycloak": r"(www\.)?keycloak\.org/|github\.com/keycloak/"
    r"|docs\.redhat\.com/en/documentation/red_hat_build_of_keycloak/",
    "FastAPI-Users": r"fastapi-users\.github\.io/|github\.com/fastapi-users/|pypi\.org/project/fastapi-users/",
    "django-allauth": r"docs\.allauth\.org/|codeberg\.org/allauth/|github\.com/pennersr/django-allauth"
    r"|pypi\.org/project/django-allauth/|hosted\.weblate\.org/projects/allauth/",
    "Supabase Auth": r"supabase\.com/|github\.com/supabase(-community)?/",
}
SECTIONS = dict(re.findall(r"^## (.+)\n\n(\| server \| answer \|\n(?:\|.+\n)+)", PAGE, re.MULTILINE))
CHECKED = r"Checked on (\d+ [A-Z]\w+ 20\d\d)"
WHERE_OTHERS_WIN = ("Second factors", "Social sign-in", "OpenID Connect provider", "Administering", "Maturity")


def answers(section: str) -> dict[str, str]:
    """What a section says of each server."""
    return dict(re.findall(r"^\| ([^|]+) \| (.+) \|$", SECTIONS[section], re.MULTILINE)[1:])


@pytest.mark.parametrize("section", SECTIONS)
def test_every_question_is_answered_for_every_server(section: str) -> None:
    assert list(answers(section)) == ["Vestibule", *OWN_SOURCES]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_statement_about_another_project_links_to_its_own_pages(section: str) -> None:
    for server, own in OWN_SOURCES.items():
        links = re.findall(r"\]\((https?://[^)]+)\)", answers(section)[server])
        assert links, f"{server} has no source"
        assert [link for link in links if not re.match(rf"https://({own})", link)] == []


def test_it_says_when_it_was_checked_and_the_readme_says_the_same() -> None:
    [checked] = re.findall(CHECKED, PAGE)
    assert date(2026, 11, 1) <= datetime.strptime(checked, "%d %B %Y").date()
    assert re.findall(CHECKED, README) == [checked]


@pytest.mark.parametrize("subject", WHERE_OTHERS_WIN)
def test_it_asks_also_where_the_others_win(subject: str) -> None:
    assert [section for section in SECTIONS if subject in section]


def test_the_readme_compares_the_same_servers() -> None:
    assert f"\n| | Vestibule | {' | '.join(OWN_SOURCES)} |\n" in README


@pytest.mark.parametrize(
    ("row", "section"),
    [
        ("built-in pages", "Pages for sign-up, sign-in and account"),
        ("second factor", "Second factors and passkeys"),
        ("social sign-in", "Social sign-in, and sign-in with another identity provider"),
        ("OpenID Connect provider", "Being an OpenID Connect provider"),
    ],
)
def test_the_readme_says_yes_and_no_as_the_page_does(row: str, section: str) -> None:
    [cells] = re.findall(rf"^\| {row} \| (.+) \|$", README, re.MULTILINE)
    said = [re.split(r"\W", answer)[0].replace("not", "no") for answer in answers(section).values()]
    assert cells.split(" | ") == said
