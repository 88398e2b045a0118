"""What a permission holds back, also where the tests run as root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vestibule.storage.sql import engine

NOBODY = 65534


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Without root's rights, which no permission holds back."""
    engine.connect("sqlite:///a.db")  # imports what somebody else may not read
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
    """Let everybody come to a folder of a test's, whose parents are its owner's alone."""
    for each in (folder, *folder.parents):
        mode = each.stat().st_mode & 0o7777
        if mode & 0o055 != 0o055:
            each.chmod(mode | 0o055)
