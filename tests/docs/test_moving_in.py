"""docs/guides/moving-in.md: each of its files, imported by its commands, as they stand; and everybody signs in,
after which the hash is ours.
"""

import re
import shlex
import sqlite3
from contextlib import closing
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
# What each format keeps of somebody: the id, and when the account was created, if the file says so.
KEPT = {
    "ada@example.com": ("1001", "2024-05-06 07:08:09"),
    "dora@example.com": ("7", "2024-05-06 07:08:09"),
    "fay@example.com": ("16fd2706-8baf-433b-82eb-8c7fada847da", ""),
    "oona@example.com": ("6638d2c077e4ec9300000000", "2024-05-06 12:53:20"),
    "kay@example.com": ("0f8fad5b-d9cb-469f-a165-70867728950e", "2024-05-06 12:53:20"),
    "sue@example.com": ("7c9e6679-7425-40de-944b-e07fc1f90ae7", "2024-05-06 07:08:09"),
    "finn@example.com": ("nAL2wB5Fhdck8kBnoDEr7oIvvrC2", "2024-05-06 12:53:20"),
}
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
    for email, (account_id, created_at) in KEPT.items():
        kept = stored(tmp_path, email)
        assert (kept["id"], kept["role"], kept["verified"]) == (account_id, "user", 1), email
        assert kept["created_at"].startswith(created_at), email
        assert kept["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$"), "replaced by ours at the sign-in"


def stored(folder: Path, email: str) -> sqlite3.Row:
    """The row of an account."""
    with closing(sqlite3.connect(folder / "vestibule-data" / "vestibule.sqlite3")) as database:
        database.row_factory = sqlite3.Row
        [row] = database.execute("SELECT * FROM accounts WHERE email = ?", (email,)).fetchall()
    return row
