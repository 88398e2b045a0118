"""Read a file that a person names: up to a size, and without blocking."""

import errno
import os
import stat
from pathlib import Path


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file of at most `max_bytes`; the null device counts as an empty file.

    Raises `OSError`, or `ValueError` with what is wrong with the file and what to do: also for a pipe, which could
    block, and for a device, which may never end.
    """
    if "\0" in str(path):
        raise ValueError("has a null byte in its name; name a file that can be there")
    _require_file(path.stat())  # first: opening some devices has side effects
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        _require_file(os.fstat(descriptor))
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"is larger than {max_bytes // 1000:,} kB; name the file that is meant")
    return content


def _require_file(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode) and not _is_null_device(found):
        raise ValueError("is not a regular file, but a pipe, a socket or a device; put a file in its place")


def _is_null_device(found: os.stat_result) -> bool:
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == Path(os.devnull).stat().st_rdev
