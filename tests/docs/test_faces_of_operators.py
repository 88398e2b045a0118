"""What operators can do, and by which face, is one table of the guide: complete, and true."""

import re

import pytest

from tests.docs.paths import DOCS
from tests.unit.cli.every import leaves
from vestibule.web.map_reading import PAGES, ROUTES

GUIDE = (DOCS / "guides" / "administer-users.md").read_text()
TABLE = GUIDE.partition("| to | command | API | console |\n|---|---|---|---|\n")[2].partition("\n\n")[0]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines()]
TERM = re.compile("`([^`]+)`")
GROUPS = ("users ", "roles ", "events", "mail ", "keys ", "services ", "doctor")
NOT_BY_OPTION = {"users export", "keys generate"}
"""What prints JSON anyway, and lines for an environment file."""
COMMANDS = {name for name in leaves() if name.startswith(GROUPS)}
API = {f"{route.method} {route.path}" for route in ROUTES if route.permission}
CONSOLE = {page.path for page in PAGES if page.permission}


def named(column: int, base: str = "") -> list[str]:
    return [term.replace("…", base) for row in ROWS for term in TERM.findall(row[column])]


@pytest.mark.parametrize(
    ("column", "base", "there_is"),
    [
        pytest.param(1, "", COMMANDS, id="command"),
        pytest.param(2, "/api/admin/people/{account_id}", API, id="API"),
        pytest.param(3, "/admin/people/{account_id}", CONSOLE, id="console"),
    ],
)
def test_o78_each_act_of_each_face_is_in_the_table_once(column: int, base: str, there_is: set[str]) -> None:
    """O78: and nothing else is."""
    assert there_is
    assert sorted(named(column, base)) == sorted(there_is)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_o78_what_a_face_lacks_has_its_reason(row: list[str]) -> None:
    act, *faces = row
    assert act
    for cell in faces:
        assert TERM.search(cell) or cell == "everything" or re.match(r"no(:|,) \w+", cell), cell


def test_o78_every_command_is_for_programs_too() -> None:
    with_option = {name for name, command in leaves().items() if any("--json" in each.opts for each in command.params)}
    assert COMMANDS - NOT_BY_OPTION - with_option == set()
