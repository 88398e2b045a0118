"""Check the files of an installation: secrets that other users may read, and a data folder that cannot be written."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from vestibule.model.findings import Finding, fault, warning
from vestibule.model.paths import is_folder
from vestibule.protocol.files import read_bounded
from vestibule.settings import env_file
from vestibule.settings.fields import Settings
from vestibule.settings.reading import ENV_FILE
from vestibule.storage.sql import url as database_url


def open_to_others(settings: Settings, subject: str) -> Iterator[Finding]:
    """Yield a warning for each file with a secret, and for the data folder, if other users may read it."""
    for path in (settings.data, settings.data / "secret.key", *_database_files(settings), ENV_FILE):
        if _is_open_to_others(path) and not _has_no_secrets(path):
            yield warning(
                subject,
                f"{path} can be read by other users of this machine",
                "Anybody who reads the secret and the database can sign anybody in.",
                f"chmod go= {path}",
            )


def unusable_folder(settings: Settings, subject: str) -> Iterator[Finding]:
    """Yield a fault if the data folder is used and cannot be made or written."""
    if settings.database_url.get_secret_value() and settings.email_host:
        return
    nearest = next(path for path in (settings.data.absolute(), *settings.data.absolute().parents) if _is_there(path))
    why = "The server does not start, or cannot write emails."
    if not is_folder(nearest):
        yield fault(subject, f"VESTIBULE_DATA: {nearest} is not a folder", why, "VESTIBULE_DATA= with another folder")
    elif not os.access(nearest, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        what = f"VESTIBULE_DATA: {settings.data.absolute()} cannot be written by this user"
        yield fault(subject, what, why, f"let this user write {nearest}, or VESTIBULE_DATA= with another folder")


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # the file exists, but we may not look
        return True
    return True


def _database_files(settings: Settings) -> Iterator[Path]:
    """Yield the paths of the SQLite file and of those beside it."""
    if settings.embedded:
        url, _ = database_url.parse(settings.database_address)
        yield from (Path(f"{url.database or ''}{end}") for end in ("", "-wal", "-shm"))


def _is_open_to_others(path: Path) -> bool:
    """Return whether other users may read the path; False if it is missing or we may not look."""
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False


def _has_no_secrets(path: Path) -> bool:
    """Return whether this is `.env`, and no secret is in it. Other files that are checked always have one."""
    if path != ENV_FILE:
        return False
    try:
        content = read_bounded(path, env_file.MAX_BYTES)
    except IsADirectoryError:  # a virtual environment, which `env_file.read` lets be
        return True
    except (OSError, ValueError):  # replaced since the settings were read
        return False
    return not any(word in content for word in (b"SECRET", b"PRIVATE", b"PASS", b"DATABASE_URL", b"REDIS_URL"))
