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


def look(chosen: Settings) -> list[Finding]:
    """Return findings about the settings and the data folder; one line if all is fine."""
    found = [*_names(), *_mode(chosen), *_passwords(chosen), *_sessions(chosen), *_secrets(chosen), *_folder(chosen)]
    return found or [fine(SUBJECT, f"mode {chosen.mode}, nothing to object to")]


def _names() -> Iterator[Finding]:
    for name, meant in slips():
        yield hint(
            SUBJECT,
            f"{name} in {ENV_FILE} is no setting of Vestibule's",
            "If it is a typo, what it should set is not set; it may also be another program's.",
            f"{meant}, if that is meant",
        )


def _mode(chosen: Settings) -> Iterator[Finding]:
    if not chosen.production and not is_this_machine(chosen.host):
        yield warning(
            SUBJECT,
            f"development mode on {chosen.host}, where other machines reach it",
            "Cookies travel without Secure, and mailed links are in the log.",
            "NODE_ENV=production, and VESTIBULE_URL=https://…; or VESTIBULE_HOST=127.0.0.1",
        )
    if not chosen.production and not is_this_machine(urlsplit(chosen.url).hostname or "localhost"):
        yield warning(
            SUBJECT,
            f"development mode, and VESTIBULE_URL is {chosen.url}",
            "Cookies travel without Secure, and without EMAIL_HOST mailed links are in the log.",
            "NODE_ENV=production",
        )
    if chosen.production and chosen.log_level == "debug":
        yield hint(
            SUBJECT,
            "VESTIBULE_LOG_LEVEL is debug in production",
            "Logs grow fast, and hide what matters.",
            "VESTIBULE_LOG_LEVEL=info",
        )


def _passwords(chosen: Settings) -> Iterator[Finding]:
    if chosen.production and chosen.password_min_length < _HARDENED_LENGTH:
        yield hint(
            SUBJECT,
            f"passwords of {chosen.password_min_length} characters are allowed",
            "A password is the only factor; NIST SP 800-63B-4 asks for 15 characters then.",
            f"VESTIBULE_PASSWORD_MIN_LENGTH={_HARDENED_LENGTH}",
        )
    if chosen.password_hash == "bcrypt":
        yield hint(
            SUBJECT,
            "passwords are hashed with bcrypt",
            "argon2id costs an attacker more and the server less; bcrypt ignores all after 72 bytes.",
            "VESTIBULE_PASSWORD_HASH=argon2id, unless another program must read the hashes",
        )
    if chosen.production and chosen.email_verification == "optional":
        yield hint(
            SUBJECT,
            "people sign in before their email is verified",
            "Anybody can register with somebody else's email and act under it.",
            "VESTIBULE_EMAIL_VERIFICATION=mandatory",
        )


def _sessions(chosen: Settings) -> Iterator[Finding]:
    if not chosen.refresh_rotation:
        yield warning(
            SUBJECT,
            "refresh tokens do not rotate",
            "A stolen one works until the session ends, and nobody notices.",
            "VESTIBULE_REFRESH_ROTATION=on",
        )
    if chosen.session_idle_seconds > 30 * _SECONDS_A_DAY:
        yield hint(
            SUBJECT,
            f"sessions end only after {chosen.session_idle_seconds // _SECONDS_A_DAY} idle days",
            "A device that was lost or sold stays signed in for as long.",
            f"VESTIBULE_SESSION_IDLE_SECONDS={14 * _SECONDS_A_DAY} or less",
        )


def _secrets(chosen: Settings) -> Iterator[Finding]:
    if chosen.secret_key_old.get_secret_value():
        yield hint(
            SUBJECT,
            "VESTIBULE_SECRET_KEY_OLD is still set",
            "As long as it decrypts keys, the old secret must be kept as safe as the new one.",
            "vestibule keys reencrypt, and then unset it",
        )
    for path in (chosen.data, chosen.data / "secret.key", *_database_files(chosen), ENV_FILE):
        if _open_to_others(path) and not _empty_of_secrets(path):
            yield warning(
                SUBJECT,
                f"{path} can be read by other users of this machine",
                "Anybody who reads the secret and the database can sign anybody in.",
                f"chmod go= {path}",
            )


def _folder(chosen: Settings) -> Iterator[Finding]:
    """Yield a fault if the data folder is used and cannot be made or written."""
    if chosen.database_url.get_secret_value() and chosen.email_host:
        return
    folder = next(path for path in (chosen.data.absolute(), *chosen.data.absolute().parents) if _is_there(path))
    why = "The server does not start, or its letters get nowhere."
    if not is_folder(folder):
        yield fault(SUBJECT, f"VESTIBULE_DATA: {folder} is not a folder", why, "VESTIBULE_DATA=, with another folder")
    elif not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        what = f"VESTIBULE_DATA: {chosen.data.absolute()} cannot be written by this user"
        yield fault(SUBJECT, what, why, f"let this user write {folder}, or VESTIBULE_DATA= with another folder")


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # it exists, but we may not look
        return True
    return True


def _database_files(chosen: Settings) -> Iterator[Path]:
    """Yield the paths of the SQLite file and of those beside it."""
    if chosen.embedded:
        name = addresses.parse(chosen.database_address)[0].database or ""
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
