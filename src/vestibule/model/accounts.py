"""Accounts: who somebody is, and the one canonical form of an email."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from unicodedata import normalize

from email_validator import EmailNotValidError, validate_email

MAX_EMAIL_BYTES = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
MAX_LOCAL_PART_BYTES = 64  # RFC 5321, section 4.5.3.1.1
MAX_NAME_CHARACTERS = 255
DEFAULT_PHOTO = "default.png"
REGISTERED_ANEW_AFTER = timedelta(minutes=10)
"""An email that nobody has verified can be registered again so long after the last time, which is longer than a double
click or a repeated request may take."""


class Role(StrEnum):
    """What an account may do. Nobody can choose their own."""

    ADMIN = "admin"
    USER = "user"


class NotAnEmail(ValueError):
    """The text is not an email that Vestibule sends to."""


@dataclass(frozen=True)
class Account:
    """One person's account. `epoch` grows with every change of credential, and ends what came before; it stays at
    `registered_epoch` (none means 0) until somebody does more than register it. `first_used_at` outlives the sessions
    and devices of an unverified account.
    """

    id: str
    name: str
    email: str
    role: Role
    verified: bool
    created_at: datetime
    updated_at: datetime
    password_hash: str | None = None
    photo: str = DEFAULT_PHOTO
    provider: str | None = None
    language: str | None = None
    epoch: int = 0
    disabled_at: datetime | None = None
    registered_again_at: datetime | None = None
    imported_at: datetime | None = None
    first_used_at: datetime | None = None
    registered_epoch: int | None = None

    @property
    def password_in_doubt(self) -> bool:
        """Whether somebody registered the email again, before anybody verified it, with another password: who reads the
        mail there need not be who typed the one that stands.
        """
        return self.registered_again_at is not None and not self.verified


@dataclass(frozen=True)
class Holder:
    """Whose an email is: the id of the account, and whether it verified it."""

    id: str
    verified: bool


def mailbox_of(email: str) -> str | None:
    """The mailbox that a sub-address leads to (RFC 5233): `ada@…` for `ada+shop@…`; None where it is none."""
    local, _, domain = email.rpartition("@")
    user, plus, _detail = local.partition("+")
    return f"{user}@{domain}" if user and plus else None


def canonical_email(text: str) -> str:
    """The form under which an email is stored and looked up; raises `NotAnEmail`.

    The order matters: NFC, then validation, then the IDNA form of the domain, then lower case.
    Validating before canonicalising lets look-alikes through (CVE-2026-73420). The local part is ASCII,
    without quotes, so that no mailer can read it otherwise than we do.
    """
    if len(text) > MAX_EMAIL_BYTES:
        raise NotAnEmail
    try:
        parts = validate_email(
            normalize("NFC", text), allow_smtputf8=False, check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError:
        raise NotAnEmail from None
    domain = parts.ascii_domain
    # A last label of digits makes it an IP address to some mailers, and to none a domain.
    if "." not in domain or domain.rpartition(".")[2].isdecimal() or parts.ascii_email is None:
        raise NotAnEmail
    if len(parts.local_part) > MAX_LOCAL_PART_BYTES:
        raise NotAnEmail
    return parts.ascii_email.lower()
