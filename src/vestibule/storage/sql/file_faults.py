"""Say what is wrong with a SQLite file in a sentence that names the file, which SQLite's own messages do not.

The file is never opened here, because closing it again would drop the locks of this process's connections (POSIX).
"""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import exc

_PRIMARY_CODE_BITS = 0xFF  # an extended code has its primary one in the last byte (SQLite, "Result and Error Codes")
_SENTENCES_BY_CODE = {
    sqlite3.SQLITE_NOTADB: "{path} is no SQLite database; name another file, or put a backup in its place",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged; put a backup in its place (docs/operating.md)",
    sqlite3.SQLITE_FULL: "{path} cannot grow, because its disk is full; make room there",
    sqlite3.SQLITE_IOERR: "{path} cannot be read or written: {said}; look at its disk, and at quotas and limits",
    sqlite3.SQLITE_READONLY: "{path} cannot be written; let this user write it, {path}-wal, {path}-shm and the folder",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened: {obstacle}",
}
_NO_ANSWER = "{path} gave no answer in time; perhaps another program keeps it locked (fuser {path} shows which)"
_MOVED = "{path} was deleted or moved while it was in use; put it back, and start again"


def sentence(path: str, fault: exc.DBAPIError) -> str | None:
    """Return what the operator has to repair; None if the fault is not about the file."""
    code = getattr(fault.orig, "sqlite_errorcode", None)
    if code is None:
        return None
    words = _MOVED if code == sqlite3.SQLITE_READONLY_DBMOVED else _SENTENCES_BY_CODE.get(code & _PRIMARY_CODE_BITS)
    return words and words.format(path=path, said=fault.orig, obstacle=_obstacle(Path(path)) or fault.orig)


def no_answer(path: str) -> str:
    """Return why no transaction could begin or end in time, and how to find out more."""
    return _NO_ANSWER.format(path=path)


def _obstacle(path: Path) -> str | None:
    """Return why the file cannot be opened, without opening it; None if no reason is visible."""
    try:
        if not path.parent.is_dir():
            return f"there is no folder {path.parent}"
        found = path.stat()
    except FileNotFoundError:
        return None if _may(path.parent, os.W_OK | os.X_OK) else f"this user may not write the folder {path.parent}"
    except OSError as fault:
        return fault.strerror
    if not _may(path, os.R_OK | os.W_OK):
        return f"it is not this user's to read and write (it belongs to user {found.st_uid})"
    return None if path.is_file() else "it is not a file"


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
