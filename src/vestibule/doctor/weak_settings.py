"""Check for settings that are weaker than they could be, and for files that other users may read."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from vestibule.doctor import files
from vestibule.doctor.rules import Rule, findings
from vestibule.model.findings import Finding, fine, hint, warning
from vestibule.protocol.this_machine import is_this_machine
from vestibule.settings.fields import Settings
from vestibule.settings.reading import ENV_FILE, likely_typos

SUBJECT = "settings"
_HARDENED_LENGTH = 15
_SECONDS_A_DAY = 86400


def check(settings: Settings) -> list[Finding]:
    """Return findings about the settings and the data folder; one line if all is fine."""
    found = [
        *_unknown_names(),
        *findings(_RULES, SUBJECT, settings),
        *files.open_to_others(settings, SUBJECT),
        *files.unusable_folder(settings, SUBJECT),
    ]
    return found or [fine(SUBJECT, f"mode {settings.mode}, no weak settings")]


def _password_alone(settings: Settings) -> bool:
    """Return whether, in production, somebody may sign in by a password alone."""
    return settings.production and settings.second_factor != "required"


def _unknown_names() -> Iterator[Finding]:
    for name, meant in likely_typos():
        yield hint(
            SUBJECT,
            f"{name} in {ENV_FILE} is no setting of Vestibule's",
            "If it is a typo, the setting is not set; it may also be another program's.",
            f"{meant}, if you meant that",
        )


_RULES: tuple[Rule[Settings], ...] = (
    Rule(
        lambda chosen: not chosen.production and not is_this_machine(chosen.host),
        warning,
        lambda chosen: f"development mode on {chosen.host}, where other machines reach it",
        "Cookies travel without Secure, and mailed links are in the log.",
        "NODE_ENV=production, and VESTIBULE_URL=https://…; or VESTIBULE_HOST=127.0.0.1",
    ),
    Rule(
        lambda chosen: not chosen.production and not is_this_machine(urlsplit(chosen.url).hostname or "localhost"),
        warning,
        lambda chosen: f"development mode, and VESTIBULE_URL is {chosen.url}",
        "Cookies travel without Secure, and without EMAIL_HOST mailed links are in the log.",
        "NODE_ENV=production",
    ),
    Rule(
        lambda chosen: chosen.production and chosen.log_level == "debug",
        hint,
        "VESTIBULE_LOG_LEVEL is debug in production",
        "Logs grow fast, and what matters is hard to find.",
        "VESTIBULE_LOG_LEVEL=info",
    ),
    Rule(
        lambda chosen: _password_alone(chosen) and chosen.password_min_length < _HARDENED_LENGTH,
        hint,
        lambda chosen: f"passwords of {chosen.password_min_length} characters are allowed",
        "The password may be the only factor; NIST SP 800-63B-4 then asks for 15 characters.",
        f"VESTIBULE_PASSWORD_MIN_LENGTH={_HARDENED_LENGTH}, or VESTIBULE_SECOND_FACTOR=required",
    ),
    Rule(
        lambda chosen: chosen.password_hash == "bcrypt",
        hint,
        "passwords are hashed with bcrypt",
        "argon2id costs an attacker more and the server less; bcrypt ignores everything after 72 bytes.",
        "VESTIBULE_PASSWORD_HASH=argon2id, unless another program must read the hashes",
    ),
    Rule(
        lambda chosen: chosen.production and chosen.email_verification == "optional",
        hint,
        "people sign in before their email is verified",
        "Anybody can register somebody else's email and use it.",
        "VESTIBULE_EMAIL_VERIFICATION=mandatory",
    ),
    Rule(
        lambda chosen: not chosen.refresh_rotation,
        warning,
        "refresh tokens do not rotate",
        "A stolen one works until the session ends, and nobody notices.",
        "VESTIBULE_REFRESH_ROTATION=on",
    ),
    Rule(
        lambda chosen: chosen.session_idle_seconds > 30 * _SECONDS_A_DAY,
        hint,
        lambda chosen: f"sessions end only after {chosen.session_idle_seconds // _SECONDS_A_DAY} idle days",
        "A device that was lost or sold stays signed in that long.",
        f"VESTIBULE_SESSION_IDLE_SECONDS={14 * _SECONDS_A_DAY} or less",
    ),
    Rule(
        lambda chosen: bool(chosen.secret_key_old.get_secret_value()),
        hint,
        "VESTIBULE_SECRET_KEY_OLD is still set",
        "While it is set, the old secret must be kept as safe as the new one.",
        "vestibule keys reencrypt, and then unset it",
    ),
)
