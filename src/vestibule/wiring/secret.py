"""Find or create the secret under which the private keys in the database are encrypted.

The secret is a setting, or a file in the data folder.
"""

import base64
import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NoReturn

from vestibule.crypto.entropy import random_bytes
from vestibule.crypto.seal import MIN_SECRET_CHARACTERS
from vestibule.protocol.files import read_bounded
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings

_MAX_BYTES = 64_000
_LOST = "if it is lost, see Backup in docs/operating.md"


def secret_key(settings: Settings, *, make: bool) -> str:
    """Return the secret that private keys are encrypted under: the setting, or the file in the data folder.

    `make`: create the file if neither is there and the database is a SQLite file of this machine. Raises
    `WrongSettings`.
    """
    if given := settings.secret_key.get_secret_value():
        return given
    path = _secret_file(settings)
    try:
        if make and settings.embedded and not path.exists():
            _make_secret(settings, path)
        text = _secret_in(path)
    except FileNotFoundError:
        raise WrongSettings(f"VESTIBULE_SECRET_KEY: {_no_secret(settings, path)}") from None
    except OSError as fault:
        raise WrongSettings(f"VESTIBULE_SECRET_KEY: {path}: {fault.strerror}") from None
    if len(text) < MIN_SECRET_CHARACTERS:
        raise WrongSettings(f"VESTIBULE_SECRET_KEY: in {path} there is no secret; put the copy of it there")
    return text


def has_secret(settings: Settings) -> bool:
    """Return whether a secret exists. Return True as well if we may not look into the data folder: then `secret_key`
    raises an error that says why. Never creates a secret.
    """
    try:
        return bool(settings.secret_key.get_secret_value()) or _secret_file(settings).is_file()
    except OSError:
        return True


def lacks_secret(settings: Settings) -> bool:
    """Return whether the secret is missing and may be created here: for a SQLite file, without keys in the settings."""
    given = settings.keys_are_given or settings.secret_key.get_secret_value()
    return settings.embedded and not given and not os.path.lexists(_secret_file(settings))


def raise_lost_secret(settings: Settings) -> NoReturn:
    """Raise `WrongSettings`, because the database has encrypted keys and their secret is gone."""
    raise WrongSettings(
        "VESTIBULE_SECRET_KEY: is not set, and the one that the keys in this database are sealed under is not in "
        f"{_secret_file(settings)} any more; put the copy back there, or {_LOST}"
    )


def wrong_secret(settings: Settings) -> WrongSettings:
    """Return the error for a database whose keys are encrypted under another secret."""
    wrong = "VESTIBULE_SECRET_KEY: is not the one that the keys in this database were sealed under"
    if settings.embedded:
        where = "" if settings.secret_key.get_secret_value() else f" in {_secret_file(settings)}"
        return WrongSettings(f"{wrong}; restore that key{where}, or {_LOST}")
    return WrongSettings(
        f"{wrong}; every machine on one database needs the same (the first one's may lie in its "
        f"{_secret_file(settings)})"
    )


def make_data_folder(settings: Settings) -> None:
    """Create the data folder, readable by its owner only; raises `WrongSettings`."""
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise WrongSettings(f"VESTIBULE_DATA: {settings.data.absolute()} is not a folder; name another") from None
    except OSError as fault:
        raise WrongSettings(
            f"VESTIBULE_DATA: cannot make {settings.data}: {fault.strerror}; name a folder that this user may write"
        ) from None


def _secret_file(settings: Settings) -> Path:
    return settings.data / "secret.key"


def _secret_in(path: Path) -> str:
    """Return the file's text; empty if the file is not UTF-8. Raises `OSError`, and `WrongSettings` if the path is a
    pipe or the like.
    """
    try:
        return read_bounded(path, _MAX_BYTES).decode().strip()
    except UnicodeDecodeError:
        return ""
    except ValueError as fault:
        raise WrongSettings(f"VESTIBULE_SECRET_KEY: {path} {fault}") from None


def _make_secret(settings: Settings, path: Path) -> None:
    """Create the file atomically, so that another process never finds a part of it."""
    make_data_folder(settings)
    with NamedTemporaryFile("w", dir=path.parent, prefix=".secret-") as file:  # with mode 0600
        file.write(base64.urlsafe_b64encode(random_bytes(32)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was faster
            os.link(file.name, path)


def _no_secret(settings: Settings, path: Path) -> str:
    if settings.embedded:
        return (
            f"is not set, and there is no {path.absolute()}; vestibule serve makes it at its first start: run this in "
            "the folder where the server runs, or with its VESTIBULE_DATA"
        )
    return (
        "is needed, because the keys in this database are sealed under it: the same on every machine; where there is "
        'none yet, make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
    )
