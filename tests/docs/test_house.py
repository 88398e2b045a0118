"""The README, the map and the glossary show the house as it stands: its rooms, the order of a sign-in, its words."""

import ast
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.paths import DOCS, ROOT
from vestibule.cli.commands import build
from vestibule.model import email_code_errors, errors, factor_errors
from vestibule.model.languages import LANGUAGES
from vestibule.model.letters import LetterKind
from vestibule.web import routes

PACKAGE = ROOT / "src" / "vestibule"
MOST_ENTRIES = 20
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
README = (ROOT / "README.md").read_text()
WORKS, _, MISSING = README.partition("\n### Works today\n")[2].partition("\n## ")[0].partition("\n### Not there yet\n")
MAP = (DOCS / "map.md").read_text()
[LOGIN] = [route for route in routes.ROUTES if (route.method, route.path) == ("POST", "/api/auth/login")]
NUMBERS = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "twenty-one"),
)


def test_the_tree_in_the_readme_has_every_room_and_no_other() -> None:
    tree = README.partition("    src/vestibule/\n")[2].partition("    examples/")[0]
    assert sorted(re.findall(r"^      (\w+)/ ", tree, re.MULTILINE)) == ROOMS


def test_the_package_is_read_at_a_glance() -> None:
    listed = sorted(entry.name for entry in PACKAGE.iterdir() if entry.name != "__pycache__")
    assert len(listed) <= MOST_ENTRIES, f"give one of these a room: {listed}"


def test_what_else_the_tree_in_the_readme_names_is_there() -> None:
    tree = README.partition("    src/vestibule/\n")[2].partition("\nRead first")[0]
    folders = re.findall(r"^    (\w+)/ ", tree, re.MULTILINE)
    files = re.findall(r"\b[\w_]+\.py\b", tree)
    assert {"tests", "docs"} < set(folders)
    assert [name for name in folders if not (ROOT / name).is_dir()] == []
    assert [name for name in files if not (PACKAGE / name).is_file()] == []


@pytest.mark.parametrize("room", ROOMS)
def test_the_map_has_every_room(room: str) -> None:
    assert re.search(rf"^\| .*\[{room}/[^]]*\]\(\.\./src/vestibule/{room}\b", MAP, re.MULTILINE)


def test_the_map_tells_a_sign_in_in_the_order_of_the_flow() -> None:
    told = MAP.partition("## One request, file by file")[2].partition("\nHad the flow refused")[0]
    flow = ast.parse((PACKAGE / "flows" / "sign_in.py").read_text())
    [sign_in] = [node for node in flow.body if getattr(node, "name", "") == "sign_in"]
    calls = [node.func for node in ast.walk(sign_in) if isinstance(node, ast.Call)]
    names = [
        call for call in calls if isinstance(call, ast.Name) and call.id not in {"isinstance", "counters_of_attempts"}
    ]
    once = dict.fromkeys(call.id for call in sorted(names, key=lambda call: (call.lineno, call.col_offset)))
    steps = list(once)
    assert len(steps) > 5
    assert [name for name in re.findall(r"`(\w+)`", told) if name in steps] == steps


NAMED = re.compile(r"`(\w*[a-z_][\w.]*)`(?:,\s+|\s+(?:in|of)\s+|\s+\()\[[^]]*\]\((?:\.\./)?(src/[^)]+\.py)\)")
"""A function, class or constant (not a word of SQL), and the link to its file."""


@pytest.mark.parametrize(("document", "least"), [(README, 1), (MAP, 10)], ids=["README", "map"])
def test_what_a_document_names_beside_a_file_is_defined_there(document: str, least: int) -> None:
    named = NAMED.findall(document)
    assert len(named) >= least
    assert [(name, file) for name, file in named if not _is_defined(name, ROOT / file)] == []


def test_the_map_tells_the_line_of_a_sign_in_as_it_is() -> None:
    told = " ".join(MAP.partition("says: guard ")[2].partition("\n3.")[0].split())
    assert (LOGIN.guards, LOGIN.limit, LOGIN.hashes, LOGIN.status) == (routes.OWN_SITE, routes.SIGN_IN, True, 200)
    assert told.startswith("`OWN_SITE`, limit `SIGN_IN`, that it hashes, status 200")


def test_what_has_a_page_is_not_said_to_be_missing() -> None:
    missing = MISSING.lower()
    assert missing
    assert [page.stem for page in DOCS.glob("*.md") if re.search(rf"\b{page.stem}\b", missing)] == []


@pytest.mark.parametrize("word", ["Social sign-in", "OpenID Connect", "Organisations", "packages"])
def test_the_status_says_what_people_look_for_in_vain(word: str) -> None:
    assert re.search(rf"\b{word}\b", MISSING)


@pytest.mark.parametrize(
    "word",
    [
        "self-hosted",
        "JWT",
        "JWKS",
        "refresh token rotation",
        "session revocation",
        "token introspection",
        "argon2id",
        "email verification",
        "password reset",
        "forward auth",
        "rate limits",
        *("MFA", "TOTP", "passkeys"),
        "CSRF protection",
        *("FastAPI", "Django", "Flask", "SQLite", "PostgreSQL"),
    ],
)
def test_the_readme_has_the_words_that_people_search_for(word: str) -> None:
    assert re.search(rf"\b{word}", README, re.IGNORECASE)


def test_the_service_in_the_readme_is_a_part_of_the_example() -> None:
    [shown] = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert shown in (ROOT / "examples" / "services" / "fastapi_service.py").read_text()


def test_the_status_names_every_command() -> None:
    app = build()
    names = [
        command.name or command.callback.__name__.replace("_", "-")
        for command in app.registered_commands
        if command.callback
    ]
    names += [group.name for group in app.registered_groups if group.name]
    assert {"serve", "users"} <= set(names)
    assert [name for name in names if not re.search(rf"`(?:vestibule )?{name}\b", WORKS)] == []


def test_the_status_counts_letters_and_languages_rightly() -> None:
    letters, languages = NUMBERS[len(LetterKind) - 1], NUMBERS[len(LANGUAGES)]  # the letter of a test is not counted
    assert f"{letters} emails in {languages} languages" in WORKS.lower()


def test_every_word_of_the_glossary_is_in_the_file_it_names() -> None:
    rows = re.findall(r"^\| (\S[^|]*) \| [^|]+ \| `([^`]+)` \|$", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    gone = [(word, file) for words, file in rows for word in words.split(", ") if not _stands_in(word, file)]
    assert gone == []


def test_every_refusal_is_in_the_tree_of_its_file() -> None:
    for module in (errors, factor_errors, email_code_errors):
        told = re.findall(r"^ {6}(\w+)  ", module.__doc__ or "", re.MULTILINE)
        assert sorted(told) == sorted(kind.__name__ for kind in _coded(module))


def _coded(module: ModuleType) -> list[type]:
    """The classes of the module itself that have a code."""
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and hasattr(kind, "code")]
    return [kind for kind in kinds if kind.__module__ == module.__name__]


def _is_defined(name: str, file: Path) -> bool:
    last = name.rpartition(".")[2]
    defined = re.compile(rf"^ *(?:(?:async )?def|class) {last}\b|^{last}\b.* = ", re.MULTILINE)
    return bool(defined.search(file.read_text()))


def _stands_in(word: str, file: str) -> bool:
    text = re.sub(r"[\W_]+", "", (PACKAGE / file).read_text().lower())
    return re.sub(r"[\W_]+", "", word.lower()) in text
