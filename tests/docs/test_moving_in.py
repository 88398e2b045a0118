"""docs/guides/moving-in.md: each of its files, imported by its commands, as they stand; and everybody signs in."""

import re
import shlex
from pathlib import Path

from tests.docs.paths import DOCS
from tests.harness.process import given_keys, run, serving

GUIDE = (DOCS / "guides" / "moving-in.md").read_text()
FILES = re.findall(r"^For example `([\w.-]+)`.*?^```\w+\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"^```console\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
COMMANDS = [command for block in BLOCKS for command in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE)]
PROGRESS = re.compile(r"^(Reading|Importing) .*\n", re.MULTILINE)
PASSWORD = "password123"
OTHERS = {"finn@example.com": "user1password", "grace@example.com": None}
EMAILS = sorted({email for _, content in FILES for email in re.findall(r"[a-z]+@example\.com", content)})


def typed(folder: Path, line: str) -> tuple[str, int]:
    """What a command says, without the progress of it, and its status."""
    program, *words = shlex.split(line)
    assert program == "vestibule"
    done = run(folder, *words, COLUMNS="300", **given_keys())
    return PROGRESS.sub("", done.stdout + done.stderr), done.returncode


def test_every_file_of_the_guide_is_imported_as_it_says_and_everybody_signs_in(tmp_path: Path) -> None:
    assert FILES
    assert len(EMAILS) >= 8
    assert len(COMMANDS) >= len(FILES)
    for name, content in FILES:
        (tmp_path / name).write_text(content)
    for line, shown in COMMANDS:
        assert typed(tmp_path, line) == (shown, int("Left out" in shown)), line
    with serving(tmp_path, **given_keys()) as server:
        for email in EMAILS:
            with server.browser() as browser:
                body = {"email": email, "password": OTHERS.get(email, PASSWORD) or "wrong horse"}
                answer = browser.post("/api/auth/login", json=body)
                assert answer.status_code == (400 if OTHERS.get(email, PASSWORD) is None else 200), (email, answer.text)
