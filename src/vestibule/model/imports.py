"""Imports: turn a row of another program's table into an account (`flows/import_accounts.py`). The row may contain
anything.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from unicodedata import category

from vestibule.crypto.entropy import is_id
from vestibule.crypto.stored_hashes import too_costly
from vestibule.model.accounts import (
    DEFAULT_PHOTO,
    MAX_NAME_CHARACTERS,
    Account,
    NotAnEmail,
    Role,
    canonical_email,
)
from vestibule.model.clock import LAST_YEAR
from vestibule.protocol.utf8 import is_utf8

MAX_COLUMN_CHARACTERS = 1_024
"""The longest valid content of a column. A row with a longer one is left out."""
_TRUE, _FALSE = {"true", "t", "1"}, {"false", "f", "0", None}
_TOO_COSTLY = "checking its hash would cost more time or memory than Vestibule gives to one"
_UNKNOWN_HASH = "its hash has no form that Vestibule can check"
_LAST = "~"  # sorts after every date


class ExportFormat(StrEnum):
    """The formats of files that other programs export, by their names on the command line."""

    CSV = "csv"
    DJANGO = "django"
    FASTAPI_USERS = "fastapi-users"
    AUTH0 = "auth0"
    KEYCLOAK = "keycloak"
    SUPABASE = "supabase"
    FIREBASE = "firebase"


@dataclass(frozen=True)
class ForeignRow:
    """A row with every column as text, whatever its type; None for NULL. `place`: its position in a file, such as "line
    7". `unreadable`: the reason, if the row could not be read.
    """

    id: str | None
    name: str | None
    email: str | None
    photo: str | None
    verified: str | None
    password: str | None
    role: str | None
    created_at: str | None
    updated_at: str | None
    provider: str | None
    disabled: str | None = None
    place: str | None = None
    unreadable: str | None = None

    @property
    def label(self) -> str:
        """Return what a report calls the row: its place in a file; or its id; or a phrase, if the id is unusable."""
        if self.place is not None:
            return self.place
        return self.id if self.id is not None and is_id(self.id) else "a row without a usable id"

    @property
    def precedence(self) -> tuple[int, str]:
        """Return the key by which rows are sorted: verified ones before others, then older ones before newer ones."""
        try:
            since = moment(self.created_at, "").isoformat()
        except LeftOut:
            since = _LAST
        return int(self.verified not in _TRUE), since


_NOTHING = ForeignRow(*[None] * 10)


def unreadable_row(place: str, reason: str) -> ForeignRow:
    """Return the row for a place in a file that cannot be read; it becomes no account, for this reason."""
    return replace(_NOTHING, place=place, unreadable=reason)


class LeftOut(ValueError):
    """The row cannot become an account. The message says why, and repeats nothing of the row."""


@dataclass(frozen=True)
class RowConverter:
    """Turns rows into accounts. `can_match`: whether any password can match a hash. `admins`: accept the role `admin`
    in a row; otherwise it becomes `user`.
    """

    can_match: Callable[[str], bool]
    admins: bool = False

    def account(self, row: ForeignRow) -> Account:
        """Return the account in a row; raises `LeftOut`, with the reason, if the row cannot become one. A disabled
        account counts as disabled since its creation.
        """
        if row.unreadable is not None:
            raise LeftOut(row.unreadable)
        for column, value in vars(row).items():
            if value is not None:
                _require_storable(column, value)
        if row.id is None or not is_id(row.id):
            raise LeftOut("its id is not 1 to 36 letters, digits, - and _")
        return Account(
            id=row.id,
            name=_name(row.name),
            email=_email(row.email),
            role=self._role(row.role),
            verified=_flag(row.verified, "verified"),
            created_at=(created_at := moment(row.created_at, "createdAt")),
            updated_at=moment(row.updated_at, "updatedAt"),
            password_hash=self._hash(row),
            photo=row.photo or DEFAULT_PHOTO,
            provider=row.provider,
            disabled_at=created_at if _flag(row.disabled, "disabled") else None,
        )

    def demoted(self, row: ForeignRow) -> bool:
        """Return whether the row says admin, and the account becomes a user."""
        return row.role == Role.ADMIN and not self.admins

    def _role(self, text: str | None) -> Role:
        if text not in {None, Role.USER, Role.ADMIN}:
            raise LeftOut("its role is neither user nor admin")
        return Role.ADMIN if text == Role.ADMIN and self.admins else Role.USER

    def _hash(self, row: ForeignRow) -> str | None:
        if not row.password:
            # Users of an external provider have no password here. They can set one with a mailed link.
            if row.provider in {None, "", "local"}:
                raise LeftOut("it has no password hash")
            return None
        if not self.can_match(row.password):
            raise LeftOut(_TOO_COSTLY if too_costly(row.password) else _UNKNOWN_HASH)
        return row.password


def _require_storable(column: str, value: str) -> None:
    if len(value) > MAX_COLUMN_CHARACTERS:
        raise LeftOut(f"its {column} is longer than {MAX_COLUMN_CHARACTERS:,} characters")
    if "\0" in value:
        raise LeftOut(f"its {column} has a NUL, which no text may have")
    if not is_utf8(value):
        raise LeftOut(f"its {column} is not UTF-8")


def _name(text: str | None) -> str:
    if text is None or len(text) > MAX_NAME_CHARACTERS:
        raise LeftOut(f"it has no name of at most {MAX_NAME_CHARACTERS} characters")
    if any(category(character) == "Cc" for character in text):
        raise LeftOut("its name has a control character, such as a line feed")
    return text


def _email(text: str | None) -> str:
    try:
        return canonical_email(text or "")
    except NotAnEmail:
        raise LeftOut("its email is not one that Vestibule sends to") from None


def _flag(text: str | None, column: str) -> bool:
    if text not in _TRUE | _FALSE:
        raise LeftOut(f"its {column} is neither true nor false")
    return text in _TRUE


def moment(text: str | None, column: str) -> datetime:
    """Return the time in a column; raises `LeftOut` if it is no date. Without a time zone it is UTC, as Prisma writes
    it.
    """
    try:
        read = datetime.fromisoformat(text or "")
        found = read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise LeftOut(f"its {column} is no date") from None
    if found.year > LAST_YEAR:
        raise LeftOut(f"its {column} is too far away")
    return found
