"""Paths as people write them, in settings and in database addresses."""

from pathlib import Path


def path_from(text: str) -> Path:
    """Return the path; `~` or `~name` at its very beginning is a home folder, while `./~` is a name like any other.

    Raises ValueError where that home is not known.
    """
    if not text.startswith("~"):
        return Path(text)  # which drops the ./ in front, so that nothing may be expanded after it
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError("begins with ~, and whose home that is cannot be found out; write the whole path") from None


def is_folder(path: Path) -> bool:
    """Return whether `path` is a folder; False if that cannot be found out, which the use of it will explain."""
    try:
        return path.is_dir()
    except OSError:
        return False
