"""What the documents have a reader write into a clone is not one `git add` away from being published."""

import re
import shutil
import subprocess

from tests.conftest import not_to_be_had
from tests.docs.paths import ROOT

WRITTEN = re.compile(r"-c (\S+\.txt)|^\$ cp \S+ (\S+)|connect\('([^'/]+\.sqlite3)'\)", re.MULTILINE)
PAGES = ("README.md", "docs/operating.md")


def test_what_the_documents_write_into_a_clone_is_ignored() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        not_to_be_had(RuntimeError("this is no clone"))
    text = "\n".join((ROOT / page).read_text() for page in PAGES)
    names = {name for found in WRITTEN.findall(text) for name in found if name}
    assert names >= {"cookies.txt", "copied.txt"}
    for name in sorted({*names, "vestibule-data/secret.key", ".env"}):
        ignored = subprocess.run(["git", "check-ignore", "-q", name], check=False, cwd=ROOT).returncode
        assert ignored == 0, name
