"""docs/guides/administer-users.md: each command, typed in a shell as it stands, in the guide's order."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.paths import DOCS
from tests.harness.process import Running, given_keys, register, run, serving
from tests.harness.servers import wait_until

GUIDE = (DOCS / "guides" / "administer-users.md").read_text()
BLOCKS = re.findall(r"^```(?:console|sh)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE)]
SCRIPTS = [block for block in BLOCKS if not block.startswith("$ ")]
HOST = "https://auth.example.com"
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
SETTINGS = {
    **given_keys(),
    "VESTIBULE_SECRET_KEY": "0" * 43,
    "VESTIBULE_EMAIL_VERIFICATION": "mandatory",
    "VESTIBULE_CONSOLE": "password",
    "COLUMNS": "300",
}
MISTYPED = "alan@exmaple.com"
# What else is to be seen of a command, by its beginning.
SHOWS = {
    "vestibule users list --search ada": "ada@example.com",
    "vestibule users set-email": "alan@example.com",
    "vestibule users invite": "grace@example.com",
    "vestibule events": "registered",
}


def comparable(text: str) -> str:
    """The text with every row of spaces as one, and every time as the same."""
    return TIME.sub("(time)", " ".join(text.split()))


def typed(server: Running, line: str, **more: str) -> str:
    """What a shell says; fails if the line does."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    settings = {**SETTINGS, "PORT": str(server.port), "PATH": path, **more}
    done = run(server.folder, line, program=("sh", "-c"), **settings)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Where Ada waits for a letter, and Alan mistyped his email."""
    with serving(tmp_path_factory.mktemp("server"), **SETTINGS) as running, running.browser() as browser:
        for email in ("ada@example.com", MISTYPED):
            register(browser, email)
        wait_until(lambda: len(running.letters) == 2, "both letters")
        yield running


def test_every_command_says_what_stands_below_it_and_the_mend_it_names_mends(server: Running) -> None:
    assert len(LINES) >= 9
    for line, shown in LINES:
        said = typed(server, line)
        assert all(comparable(each) in comparable(said) for each in shown.splitlines()), (line, said)
        assert all(word in said for begins, word in SHOWS.items() if line.startswith(begins)), (line, said)
        if mend := re.search(r"^Mend it: (.*)$", said, re.MULTILINE):
            typed(server, mend[1])
            assert "can sign in" in typed(server, line)


def operator(server: Running) -> dict[str, str]:
    """What an administrator's shell has in its environment: both tokens, and whom the request is about."""
    [made] = re.findall(r"`(vestibule users create EMAIL --admin)`", GUIDE)
    password = typed(server, made.replace("EMAIL", "olive@example.com")).splitlines()[0]
    with server.browser() as browser:
        body = {"email": "olive@example.com", "password": password}
        browser.post("/api/auth/login", json=body).raise_for_status()
        tokens = {name.upper(): browser.cookies[name] for name in ("access_token", "refresh_token")}
    for name in ("bob", "carol"):
        typed(server, f"vestibule users create {name}@example.com")
    ids = [_id_of(server, name) for name in ("bob", "carol")]
    return {**tokens, "ID": ids[0], "ANOTHER_ID": ids[1]}


def _id_of(server: Running, name: str) -> str:
    shown = json.loads(typed(server, f"vestibule users show {name}@example.com --json"))
    return str(shown["account"]["id"])


def test_the_scripts_do_what_is_said_of_them(server: Running) -> None:
    curl, person, export, act = SCRIPTS
    assert "curl" in curl
    around = operator(server)
    answers = [typed(server, curl.replace(HOST, server.base), **around) for _ in range(2)]
    assert ['"changed":true' in answers[0], '"changed":false' in answers[1]] == [True, True], answers
    begun = typed(server, act.replace(HOST, server.base), **{**around, "ID": around["ANOTHER_ID"]})
    assert re.search(r'"access_token":"[^"]+".*"expiresAt":', begun), begun
    typed(server, person)
    written = server.folder / "ada.json"
    assert written.stat().st_mode & 0o077 == 0
    assert "ada@example.com" in json.dumps(json.loads(written.read_text()))
    typed(server, export)
    events = server.folder / "events.jsonl"
    assert events.stat().st_mode & 0o077 == 0
    kinds = [json.loads(line)["kind"] for line in events.read_text().splitlines()]
    assert {"registered", "account_disabled", "acting_begun"} <= set(kinds)
