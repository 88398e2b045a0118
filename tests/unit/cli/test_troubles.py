"""C40: every command beside every trouble with its database: a sentence that names the thing and says what to do, the
status that is documented, nothing of Python, and no password.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.harness import backends, servers
from tests.harness.backends import SECRET
from tests.harness.process import PRODUCTION
from tests.harness.unprivileged import as_somebody_else, let_reach
from tests.unit.cli import every
from tests.unit.cli.cells import said_here
from tests.unit.cli.databases import Databases
from tests.unit.cli.plain import SECRET as PASSWORD

NOBODY = servers.free_port()
Url = Callable[[Databases], str]


@dataclass(frozen=True)
class Trouble:
    """A database that cannot be used, the status of every command beside it, and words that each says."""

    url: Url
    status: int
    words: tuple[str, ...]
    spared: tuple[str, ...] = ()
    """Commands that mend it."""
    settings: dict[str, str] = field(default_factory=dict)


def at(server: str, scheme: str = "postgresql") -> Url:
    return lambda _: f"{scheme}://ada:{PASSWORD}@{server}/vestibule"


TROUBLES = {
    "no folder": Trouble(lambda _: "sqlite:///no/such.sqlite3", 2, ("DATABASE_URL: there is no folder no", "make it")),
    "no database": Trouble(lambda to: to.missing, 2, ("no_such_database", "createdb", "vestibule migrate")),
    "never migrated": Trouble(lambda to: to.empty, 1, ("no Vestibule schema yet", "vestibule migrate"), ("migrate",)),
    "older": Trouble(lambda to: to.older, 1, ("schema 0014", "vestibule migrate"), ("migrate",), PRODUCTION),
    "newer": Trouble(lambda to: to.newer, 1, ("schema 9999", "restore the backup")),
    "unknown scheme": Trouble(at("db", "mysql"), 2, ("DATABASE_URL: names mysql", "postgresql://")),
    "bad port": Trouble(at("db:99999"), 2, ("DATABASE_URL: has the port '99999'",)),
    "nobody listens": Trouble(at(f"127.0.0.1:{NOBODY}"), 1, (f"127.0.0.1:{NOBODY}", "Connection refused")),
    "no such host": Trouble(at("db.invalid"), 1, ("db.invalid", "not known"), settings=PRODUCTION),
    "wrong password": Trouble(lambda to: to.locked, 2, ("refuses the password of the user locked_",), (), PRODUCTION),
    "no right": Trouble(lambda to: to.forbidden, 2, ("the user forbidden_", "permission denied", "grant it")),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_c40_of_the_database(
    trouble: str, known: Databases, nowhere: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cell = TROUBLES[trouble]
    settings = {"DATABASE_URL": cell.url(known), **cell.settings, **beside(tmp_path)}
    faults = []
    for name in every.OF_THE_DATABASE:
        if name not in cell.spared:
            said = said_here(name, settings, nowhere, capfd)
            faults += said.faults({cell.status, 1} if name == "doctor" else {cell.status}, *cell.words)
    assert not faults, "\n".join(faults)


def beside(folder: Path) -> dict[str, str]:
    """A database to copy from, and settings without which no command gets as far as its own."""
    backends.embedded(folder / "elsewhere")
    (folder / "elsewhere" / "vestibule.sqlite3").rename(folder / "elsewhere.sqlite3")
    return {"VESTIBULE_SECRET_KEY": SECRET, "HOME": str(folder)}


FORBIDDEN = {
    "a file": ({"DATABASE_URL": "sqlite:///theirs.sqlite3"}, ("theirs.sqlite3", "not this user's to read and write")),
    "the folder of the data": ({"VESTIBULE_DATA": "theirs/data"}, ("theirs/data", "Permission denied", "may write")),
}
# There is nothing yet for them to look at, and they make nothing.
LOOK_ONLY = {"a file": set(), "the folder of the data": {"doctor", "keys list"}}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_c40_of_files_that_are_somebody_else_s(
    what: str, nowhere: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings, words = FORBIDDEN[what]
    settings = settings | beside(tmp_path) | PRODUCTION
    (tmp_path / "theirs.sqlite3").touch()
    (tmp_path / "theirs.sqlite3").chmod(0o400 if os.geteuid() else 0o600)
    (tmp_path / "theirs").mkdir(mode=0o555)
    let_reach(tmp_path)
    (tmp_path / "elsewhere.sqlite3").chmod(0o666)
    tmp_path.chmod(0o777)
    faults = []
    with as_somebody_else():
        for name in set(every.OF_THE_DATABASE) - LOOK_ONLY[what]:
            said = said_here(name, settings, nowhere, capfd)
            faults += said.faults({1, 2} if name == "doctor" else {2}, *words)
    assert not faults, "\n".join(faults)
