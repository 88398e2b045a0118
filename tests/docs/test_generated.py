"""The pages that are made from the code are what the code says now. `make docs` makes them anew."""

import inspect
import re

import pytest
from pydantic import BaseModel

from tests.docs.paths import ROOT
from tools.docs.api import ENTRIES, api_page
from tools.docs.pages import stale
from tools.docs.settings import own_settings, settings_page
from tools.docs.tables import table
from vestibule.model.errors import RefreshRefused, SessionOver
from vestibule.model.sessions import EndReason
from vestibule.settings import types as setting_types
from vestibule.settings.fields import GROUPS, Settings, name_of
from vestibule.settings.groups.group import Group
from vestibule.web.errors import UNEXPECTED
from vestibule.web.map_lines import Route
from vestibule.web.map_reading import ROUTES

# 67: VESTIBULE_EMAIL_SUBJECTS, because programs of the contract's users look for its subjects (decision 0035).
# 68: VESTIBULE_PASSKEY_DOMAIN, because nobody can tell from the URL on which other hosts passkeys are to work.
# 69: VESTIBULE_SECOND_FACTOR, because whether a password is enough is the operator's to say.
# 70: VESTIBULE_EMAIL_CODE, because whether a mailbox is enough to sign in is the operator's choice.
# 71: VESTIBULE_FACTOR_RESET_DAYS, because only the operator knows whether people can be helped in person.
# 72: VESTIBULE_CONSOLE, because whether a console is wanted, and how well guarded, is the operator's choice.
# 73: VESTIBULE_IMPERSONATION, because some may not let anybody see what a person sees.
MOST_SETTINGS, MOST_OF_A_GROUP = 73, 10
HEADS = 4  # of a table of settings


def test_generated_pages_are_current() -> None:
    assert stale() == []


def test_every_setting_is_in_a_group_once() -> None:
    page = settings_page()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    names = [line.split("`")[1] for line in rows]
    assert sorted(names) == sorted(name_of(field) for field in Settings.model_fields.values())


def test_there_are_few_enough_settings_to_read() -> None:
    """Before you raise the number: does the value follow from another setting, and who would set it?"""
    assert len(Settings.model_fields) <= MOST_SETTINGS


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_a_group_says_when_it_is_read(group: type[Group]) -> None:
    head = settings_page().partition(f"\n## {group.title}\n\n")[2].partition("\n")[0]
    assert re.fullmatch(r"Read this (before|when) [^.]+\.", head)
    assert 2 <= len(own_settings(group)) <= MOST_OF_A_GROUP


def test_no_cell_of_the_settings_is_empty() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert [row for row in cells if len(row) != HEADS or not all(row)] == []


def test_every_setting_says_why() -> None:
    unexplained = [name_of(field) for field in Settings.model_fields.values() if not field.description]
    assert unexplained == []


def test_limits_and_defaults_are_shown_as_people_type_them() -> None:
    page = settings_page()
    assert "| `VESTIBULE_REFRESH_ROTATION` | `on` | `on` or `off` |" in page
    taken = page.partition("A switch takes ")[2].partition(".")[0]
    assert {word for word in setting_types._SWITCH if f"`{word}`" in taken} == {*setting_types._SWITCH}
    assert "| `VESTIBULE_PASSWORD_MIN_LENGTH` | `8` | 8 to 64 |" in page
    assert "| `ORIGIN` | `http://localhost:3000` |" in page
    assert "| `DATABASE_URL` | unset: a SQLite file in VESTIBULE_DATA | `postgresql://" in page
    assert "| `VESTIBULE_DRAIN_SECONDS` | unset: `5` in production, otherwise `0` | 0 to 300 |" in page
    assert "| `VESTIBULE_CONCEAL_ACCOUNTS` | unset: on where verification is mandatory | `on` or `off` |" in page
    assert "| `VESTIBULE_ACCESS_TOKEN_SECONDS` | `900` (15 minutes) | 30 to 3,600 |" in page
    assert "| `VESTIBULE_EMAIL_SECURITY` | `auto` | `auto`, `tls`, `starttls` or `none` |" in page
    assert "| `VESTIBULE_COOKIE_PREFIX` | unset: the contract's names | unset or `__Host-` |" in page


def test_no_cell_shows_what_only_the_code_knows() -> None:
    """Neither a word of Python's nor an empty pair of backticks, which is no code in Markdown."""
    lines = [line for line in (settings_page() + api_page()).splitlines() if line.startswith("|")]
    shown = re.compile(r"`(None|True|False|\(\))`|(?<!`)``(?!`)")
    assert [line for line in lines if shown.search(line)] == []


def test_the_api_page_has_what_a_sign_in_may_be_told() -> None:
    login = api_page().partition("### POST /api/auth/login\n")[2].partition("\n### ")[0]
    assert "| 400 | `wrong_credentials` | Invalid email or password |" in login
    assert "| 401 | `email_not_verified` | You are not verified, please verify your email to login |" in login
    assert "| 413 | `body_too_large` |" in login
    assert "email_taken" not in login


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.method != "HEAD"],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_the_api_page_describes_each_handler_of_a_path(route: Route) -> None:
    """With the body that this one takes, and all that its answer holds."""
    (section,) = (each for each in api_page().split("\n### ")[1:] if _is_about(each.partition("\n")[0], route))
    assert (inspect.getdoc(route.handler) or "") in section
    assert ("\nBody: " in section) == (route.body is not None)
    assert {name for name in _names_in(route.answer) if not re.search(rf"\b{name}\b", section)} == set()


def _is_about(heading: str, route: Route) -> bool:
    methods, _, path = heading.rpartition(" ")
    return path == route.path and route.method in methods.split(" or ")


def _names_in(answer: type[BaseModel] | None) -> set[str]:
    """The names of an answer's members, and of the members of its members."""
    if answer is None:
        return set()
    schema = answer.model_json_schema()
    return {name for each in (schema, *schema.get("$defs", {}).values()) for name in each.get("properties", ())}


@pytest.mark.parametrize("reason", EndReason)
def test_the_api_page_has_every_code_of_a_session_that_is_over(reason: EndReason) -> None:
    codes = {SessionOver(reason).code, RefreshRefused(reason).code}
    assert [code for code in codes if f"\n| `{code}` | " not in api_page()] == []


def test_the_api_page_has_every_code_inside_an_invalid_body() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "src/vestibule/web").rglob("*.py"))
    codes = set(re.findall(r'\b(?:code=|"code": |_length_error\()"([a-z_]+)"', sources)) - {UNEXPECTED["code"]}
    assert codes == set(ENTRIES)


def test_a_cell_ends_where_the_table_says() -> None:
    assert table(("a", "b"), [("`x|y`", "two\nlines")]).splitlines()[-1] == r"| `x\|y` | two lines |"
