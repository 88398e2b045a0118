"""Accounts: a person's name, email, role and password hash; and the canonical form of an email."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from unicodedata import normalize

from email_validator import EmailNotValidError, validate_email

from vestibule.crypto.stored_hashes import HashCosts

MAX_EMAIL_BYTES = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
MAX_LOCAL_PART_BYTES = 64  # RFC 5321, section 4.5.3.1.1
MAX_NAME_CHARACTERS = 255
DEFAULT_PHOTO = "default.png"
MAX_REASON_CHARACTERS = 500  # of why an account is disabled
REGISTERED_AGAIN_AFTER = timedelta(minutes=10)
"""An unverified email can be registered again only this long after the last time: a double click does not do it."""


class Role(StrEnum):
    """What an account may do (`model/permissions.py`). Nobody can set their own role."""

    ADMIN = "admin"
    HELPER = "helper"
    AUDITOR = "auditor"
    USER = "user"


class NotAnEmail(ValueError):
    """The text is not an email, or not one that Vestibule sends to."""


@dataclass(frozen=True)
class Account:
    """One person's account.

    `epoch` grows with every change of credential; sessions and links of an earlier epoch are void. `registered_epoch`
    (None means 0) is the epoch that the last registration began: if `epoch` is the same, no credential was changed
    since. `first_used_at` shows that an unverified account was used, also after its sessions and devices are purged.
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
    disabled_reason: str | None = None
    roles: tuple[str, ...] = ()
    """Roles that operators made (`model/custom_roles.py`), in order; an account has them beside `role`."""

    @property
    def password_in_doubt(self) -> bool:
        """Return whether the email was registered again, with another password, before it was verified: the stored
        password may not be from the person who reads the mail there.
        """
        return self.registered_again_at is not None and not self.verified


@dataclass(frozen=True)
class Holder:
    """The account that has a given email: its id, and whether the email is verified."""

    id: str
    verified: bool


def mailbox_of(email: str) -> str | None:
    """Return the mailbox that a sub-address leads to (RFC 5233), `ada@…` for `ada+shop@…`; None if `email` is no
    sub-address.
    """
    local, _, domain = email.rpartition("@")
    user, plus, _detail = local.partition("+")
    return f"{user}@{domain}" if user and plus else None


def canonical_email(text: str) -> str:
    """Return the form in which an email is stored and looked up; raises `NotAnEmail` if Vestibule does not send to it.

    The order matters: NFC, then validation, then the IDNA form of the domain, then lower case. Validating before
    canonicalising lets look-alikes through (CVE-2026-73420). The local part is ASCII, without quotes, so that every
    mailer reads it as we do.
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
    # A domain whose last label has only digits does not exist, and some mailers take it for an IP address.
    if "." not in domain or domain.rpartition(".")[2].isdecimal() or parts.ascii_email is None:
        raise NotAnEmail
    if len(parts.local_part) > MAX_LOCAL_PART_BYTES:
        raise NotAnEmail
    return parts.ascii_email.lower()


class Accounts(Protocol):
    """The accounts. Call a `lock…` method first in a transaction. Until the transaction ends, no other transaction can
    change the account, or what belongs to it (decision 0025).
    """

    async def lock(self, account_id: str) -> Account | None:
        """Lock the account, then read it and return it; None if it is gone."""

    async def lock_at(self, email: str) -> Account | None:
        """Lock the account with this canonical email, then read it and return it; None if there is none."""

    async def lock_these(self, account_ids: Sequence[str]) -> dict[str, Account]:
        """Lock the accounts in the order of their ids, so that two transactions that lock the same ones never wait for
        each other; then read them and return those that exist, by their ids.
        """

    async def of_token(self, digest: str) -> Account | None:
        """Return the account of an unspent mailed token, or None."""

    async def lock_for_token(self, digest: str) -> None:
        """Lock the account of a mailed token, and the account that has the email it was mailed to, if any."""

    async def add(self, account: Account) -> bool:
        """Add the account; return False, and add nothing, if its email is taken, or kept for another (`kept`)."""

    async def add_missing(self, accounts: Sequence[Account]) -> set[str]:
        """Add the accounts whose id and email are both free at this moment; return their ids."""

    async def note_use(self, account_id: str, epoch: int, now: datetime) -> None:
        """Note the first sign-in to the account, if it is still in this epoch. From now on it counts as used, even
        after its sessions and devices are purged. Call it before `Sessions.open`, so that two transactions never wait
        for each other.
        """

    async def holders(self, accounts: Sequence[Account]) -> dict[str, Holder]:
        """Return, by their emails, the stored accounts that have the id or the email of one of `accounts`."""

    async def register_again(self, account: Account, before: datetime) -> Account | None:
        """Give the stored account with the email of `account` the name, password and language of `account`, note that
        it was registered again, and begin a new epoch; return the changed account.

        Return None, and change nothing, if the account belongs to somebody or was registered at `before` or later. An
        account belongs to nobody if it is enabled, unverified, has the role `user`, was registered here and was never
        used.
        """

    async def never_used(self, before: datetime, most: int, account_id: str | None = None) -> list[Account]:
        """Return up to `most` accounts that belong to nobody, as in `register_again`, and are untouched since `before`.
        With `account_id`, return only that account, if it is one of them.
        """

    async def kept(self, emails: Sequence[str], now: datetime) -> Mapping[str, str]:
        """Return those of these emails that are kept, each with the id of the account that it is kept for: one that had
        the email before and may still undo the change. No other account can have a kept email.
        """

    async def with_email(self, email: str) -> Account | None:
        """Return the account with this canonical email, or None."""

    async def get(self, account_id: str) -> Account | None:
        """Return the account with this id, or None."""

    async def verify(self, account_id: str, email: str, now: datetime, epoch: int | None = None) -> bool:
        """Mark the email verified, if it is still the account's; return whether that was done. With `epoch`, only if
        the account is still in that epoch: a code that was mailed before the password changed must not verify
        afterwards.
        """

    async def doubt_password(self, email: str, now: datetime, unless: str | None) -> bool:
        """Put the password in doubt: note that this email was registered again. Do nothing if the email is verified, or
        if the stored hash is `unless`, the one that this registration stored itself. Return whether a doubt was noted.
        """

    async def trust_password(self, email: str, stored: str | None, doubted_at: datetime) -> None:
        """Take back a doubt that was noted at `doubted_at`, if no other doubt was noted since and the stored hash is
        still `stored`.
        """

    async def set_password(self, account_id: str, password_hash: str, now: datetime) -> int:
        """Set a new password hash and begin a new epoch; return that epoch."""

    async def change_password(self, account_id: str, old: str, new: str, now: datetime) -> int | None:
        """Set the hash `new` and begin a new epoch, if the hash `old` is still stored; return that epoch, or None if
        another hash is stored.
        """

    async def set_name(self, account_id: str, epoch: int, name: str, now: datetime) -> bool:
        """Set the name, if the account is enabled and still in this epoch; return whether that was done."""

    async def set_language(self, account_id: str, language: str, now: datetime) -> bool:
        """Set the language of the account's emails; return False if it is set already."""

    async def set_role(self, account_id: str, role: Role, now: datetime) -> bool:
        """Set the role and begin a new epoch; return False, and do nothing, if no enabled admin would be left."""

    async def set_roles(self, account_id: str, roles: Sequence[str], now: datetime) -> None:
        """Set the custom roles, in order, and begin a new epoch. Call it after `CustomRoles.keep`."""

    async def enabled_admins(self, most: int) -> list[str]:
        """Return the ids of up to `most` enabled admins, in order."""

    async def disable(self, account_id: str, reason: str | None, now: datetime) -> bool:
        """Disable the account and begin a new epoch; return False if it was disabled, or is the last enabled admin."""

    async def enable(self, account_id: str, now: datetime) -> bool:
        """Enable the account again; return False if it was enabled already."""

    async def change_email(self, account_id: str, email: str, now: datetime) -> str | None:
        """Set another verified email and begin a new epoch; return the email before, or None if the new one is taken,
        or kept for another account. Call it after `lock_for_token`.
        """

    async def replace_email(self, account_id: str, email: str, now: datetime) -> bool:
        """Set another email, still to be verified, and begin a new epoch, if the account belongs to nobody, as in
        `register_again`; return False, and change nothing, if it belongs to somebody or the email is taken.
        """

    async def reassign_to_email(self, account_id: str, email: str, now: datetime) -> Account | None:
        """Give the account to the person who reads mail at `email`: set that email as verified, remove the password,
        and begin a new epoch. Return the changed account, or None if another account has the email.
        """

    async def remove(self, account_id: str) -> bool:
        """Delete the account and all its rows; return False if there is none, or it is the last enabled admin."""

    async def hash_costs(self) -> HashCosts:
        """Return the costs of the stored hashes that can be checked, other than argon2id at the default cost."""

    async def remove_squatter(self, account_id: str, email: str) -> bool:
        """Delete the account if it has this email and never verified it; return False if it does not, or is the last
        enabled admin.
        """

    async def replace_hash(self, account_id: str, old: str, new: str) -> None:
        """Replace the hash `old`, if it is still there, by another hash of the same password."""
