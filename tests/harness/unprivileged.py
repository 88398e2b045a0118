"""Try what a file's permissions forbid, even if the tests run as root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vestibule.storage.sql import engine

NOBODY = 65534


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Run the block as another user if this is root, whom no permission stops."""
    engine.connect("sqlite:///a.db")  # imports files that the other user may not be able to read
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def let_reach(folder: Path) -> None:
    """Let everybody enter a test's folder, and all its parents, which only their owner could enter."""
    for each in (folder, *folder.parents):
        mode = each.stat().st_mode & 0o7777
        if mode & 0o055 != 0o055:
            each.chmod(mode | 0o055)
