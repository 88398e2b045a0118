"""Check for settings that are weaker than they could be, and for files that other users may read."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from vestibule.model.findings import Finding, fault, fine, hint, warning
from vestibule.model.paths import is_folder
from vestibule.protocol.files import read_bounded
from vestibule.protocol.this_machine import is_this_machine
from vestibule.settings import env_file
from vestibule.settings.fields import Settings
from vestibule.settings.reading import ENV_FILE, slips
from vestibule.storage.sql import url as addresses

SUBJECT = "settings"
_HARDENED_LENGTH = 15
_SECONDS_A_DAY = 86400


def check(settings: Settings) -> list[Finding]:
    """Return findings about the settings and the data folder; one line if all is fine."""
    found = [
        *_unknown_names(),
        *_mode(settings),
        *_passwords(settings),
        *_sessions(settings),
        *_secrets(settings),
        *_folder(settings),
    ]
    return found or [fine(SUBJECT, f"mode {settings.mode}, nothing to object to")]


def _unknown_names() -> Iterator[Finding]:
    for name, meant in slips():
        yield hint(
            SUBJECT,
            f"{name} in {ENV_FILE} is no setting of Vestibule's",
            "If it is a typo, what it should set is not set; it may also be another program's.",
            f"{meant}, if that is meant",
        )


def _mode(settings: Settings) -> Iterator[Finding]:
    if not settings.production and not is_this_machine(settings.host):
        yield warning(
            SUBJECT,
            f"development mode on {settings.host}, where other machines reach it",
            "Cookies travel without Secure, and mailed links are in the log.",
            "NODE_ENV=production, and VESTIBULE_URL=https://…; or VESTIBULE_HOST=127.0.0.1",
        )
    if not settings.production and not is_this_machine(urlsplit(settings.url).hostname or "localhost"):
        yield warning(
            SUBJECT,
            f"development mode, and VESTIBULE_URL is {settings.url}",
            "Cookies travel without Secure, and without EMAIL_HOST mailed links are in the log.",
            "NODE_ENV=production",
        )
    if settings.production and settings.log_level == "debug":
        yield hint(
            SUBJECT,
            "VESTIBULE_LOG_LEVEL is debug in production",
            "Logs grow fast, and hide what matters.",
            "VESTIBULE_LOG_LEVEL=info",
        )


def _passwords(settings: Settings) -> Iterator[Finding]:
    if settings.production and settings.password_min_length < _HARDENED_LENGTH:
        yield hint(
            SUBJECT,
            f"passwords of {settings.password_min_length} characters are allowed",
            "A password is the only factor; NIST SP 800-63B-4 asks for 15 characters then.",
            f"VESTIBULE_PASSWORD_MIN_LENGTH={_HARDENED_LENGTH}",
        )
    if settings.password_hash == "bcrypt":
        yield hint(
            SUBJECT,
            "passwords are hashed with bcrypt",
            "argon2id costs an attacker more and the server less; bcrypt ignores all after 72 bytes.",
            "VESTIBULE_PASSWORD_HASH=argon2id, unless another program must read the hashes",
        )
    if settings.production and settings.email_verification == "optional":
        yield hint(
            SUBJECT,
            "people sign in before their email is verified",
            "Anybody can register with somebody else's email and act under it.",
            "VESTIBULE_EMAIL_VERIFICATION=mandatory",
        )


def _sessions(settings: Settings) -> Iterator[Finding]:
    if not settings.refresh_rotation:
        yield warning(
            SUBJECT,
            "refresh tokens do not rotate",
            "A stolen one works until the session ends, and nobody notices.",
            "VESTIBULE_REFRESH_ROTATION=on",
        )
    if settings.session_idle_seconds > 30 * _SECONDS_A_DAY:
        yield hint(
            SUBJECT,
            f"sessions end only after {settings.session_idle_seconds // _SECONDS_A_DAY} idle days",
            "A device that was lost or sold stays signed in for as long.",
            f"VESTIBULE_SESSION_IDLE_SECONDS={14 * _SECONDS_A_DAY} or less",
        )


def _secrets(settings: Settings) -> Iterator[Finding]:
    if settings.secret_key_old.get_secret_value():
        yield hint(
            SUBJECT,
            "VESTIBULE_SECRET_KEY_OLD is still set",
            "As long as it decrypts keys, the old secret must be kept as safe as the new one.",
            "vestibule keys reencrypt, and then unset it",
        )
    for path in (settings.data, settings.data / "secret.key", *_database_files(settings), ENV_FILE):
        if _open_to_others(path) and not _empty_of_secrets(path):
            yield warning(
                SUBJECT,
                f"{path} can be read by other users of this machine",
                "Anybody who reads the secret and the database can sign anybody in.",
                f"chmod go= {path}",
            )


def _folder(settings: Settings) -> Iterator[Finding]:
    """Yield a fault if the data folder is used and cannot be made or written."""
    if settings.database_url.get_secret_value() and settings.email_host:
        return
    folder = next(path for path in (settings.data.absolute(), *settings.data.absolute().parents) if _is_there(path))
    why = "The server does not start, or its letters get nowhere."
    if not is_folder(folder):
        yield fault(SUBJECT, f"VESTIBULE_DATA: {folder} is not a folder", why, "VESTIBULE_DATA=, with another folder")
    elif not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        what = f"VESTIBULE_DATA: {settings.data.absolute()} cannot be written by this user"
        yield fault(SUBJECT, what, why, f"let this user write {folder}, or VESTIBULE_DATA= with another folder")


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # it exists, but we may not look
        return True
    return True


def _database_files(settings: Settings) -> Iterator[Path]:
    """Yield the paths of the SQLite file and of those beside it."""
    if settings.embedded:
        name = addresses.parse(settings.database_address)[0].database or ""
        yield from (Path(f"{name}{end}") for end in ("", "-wal", "-shm"))


def _open_to_others(path: Path) -> bool:
    """Return whether other users may read the path; False if it is missing or we may not look."""
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False


def _empty_of_secrets(path: Path) -> bool:
    """Return whether this is the environment file and has no secret in it."""
    words = (b"SECRET", b"PRIVATE", b"PASS", b"DATABASE_URL", b"REDIS_URL")
    return path == ENV_FILE and not any(word in read_bounded(path, env_file.MAX_BYTES) for word in words)
