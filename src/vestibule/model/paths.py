"""Paths as people write them, in settings and in database addresses."""

from pathlib import Path


def path_from(text: str) -> Path:
    """Return the path. `~` or `~name` at the beginning is a home folder; `./~` is an ordinary name.

    Raises ValueError if that home folder is not known.
    """
    if not text.startswith("~"):
        return Path(text)  # without expanduser: Path turns ./~ into ~, which expanduser would take for a home folder
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError("begins with ~, and whose home that is cannot be found out; write the whole path") from None


def is_folder(path: Path) -> bool:
    """Return whether `path` is a folder; False also on an error, which will occur again where the path is used."""
    try:
        return path.is_dir()
    except OSError:
        return False
