"""C26: what the documents say to type makes no file of secrets that others can read."""

import os
import re
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.docs.paths import ROOT

WRITES = re.compile(
    r"\.backup\(|pg_dump\b|--file\b|--out(?:put)?\b|\btee\b|[^-=<0-9&]>{1,2} ?[\w./~$\"-]|(?:^|sudo )\s*install -|\bcp "
)
KEPT = ("(umask 077;", "install -m 0600 ", "$ cp cookies.txt ")  # a file of cookies is its owner's, as curl makes it
PUBLIC = re.compile(r"install (?:-m 0[67][45][45] deploy/(?!.*\.env)|-d .*-m 0700 )")
"""What is in the repository, and so known to everybody; and a folder for its owner."""
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("deploy/**/*"), *ROOT.glob("examples/*/*.md")]


def commands() -> Iterator[tuple[str, str]]:
    """Each line that is to be typed, and where it stands: in blocks of shell, and in comments of what is deployed."""
    for page in PAGES:
        if page.suffix == ".md":
            for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", page.read_text(), re.DOTALL):
                yield from ((page.name, line) for line in block.splitlines())
        elif page.is_file() and page.suffix in {".service", ".example", ".yml", ".conf"}:
            yield from ((page.name, line[1:]) for line in page.read_text().splitlines() if line.startswith("#   "))


def test_c26_a_command_that_writes_a_file_says_that_it_is_for_its_owner() -> None:
    writing = [(page, line) for page, line in commands() if WRITES.search(line.partition("  #")[0].strip())]
    assert {"operating.md", "debian.md"} <= {page for page, _ in writing}
    for page, line in writing:
        assert line.strip().startswith(KEPT) or PUBLIC.match(line.strip()), f"{page}: {line}"


def test_c26_the_backup_of_the_file_is_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    """C26: where everybody may read what is made otherwise."""
    (line,) = [line for _, line in commands() if ".backup(" in line]
    (tmp_path / "vestibule-data").mkdir()
    with sqlite3.connect(tmp_path / "vestibule-data" / "vestibule.sqlite3") as database:
        database.execute("CREATE TABLE accounts (password_hash TEXT)")
        database.execute("INSERT INTO accounts VALUES ('$argon2id$')")
    open_to_all = os.umask(0o022)
    try:
        subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, check=True, timeout=60)
    finally:
        os.umask(open_to_all)
    backup = tmp_path / "backup.sqlite3"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert sqlite3.connect(backup).execute("SELECT * FROM accounts").fetchall() == [("$argon2id$",)]
