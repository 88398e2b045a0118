"""Account search: find accounts by how their email or name begins, in pages, and those registered lately."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from json import dumps
from typing import Protocol

from vestibule.crypto import i_json
from vestibule.model.accounts import Account

Key = tuple[str, str]
"""Where a batch ended: the email or the name of its last account, and that account's id."""
_MOST_CURSOR_CHARACTERS = 2_048


class Order(StrEnum):
    """What accounts are searched by, and in which order they are listed."""

    EMAIL = "email"
    NAME = "name"


class NotACursor(ValueError):
    """The text is not a cursor that a page ended with."""


@dataclass(frozen=True)
class Position:
    """Where a page begins: behind the account `after`; None for the first page, which has no cursor. As text, a
    position is a cursor, which callers send back unchanged.
    """

    order: Order
    after: Key | None = None

    def to_cursor(self) -> str:
        """Return the position as text."""
        members = [self.order.value, *(self.after or ())]
        return urlsafe_b64encode(dumps(members, ensure_ascii=False).encode("utf-8", "replace")).decode()

    @classmethod
    def of_cursor(cls, cursor: str) -> "Position":
        """Return the position that `to_cursor` turned into this text; raises `NotACursor`."""
        try:
            if len(cursor) > _MOST_CURSOR_CHARACTERS:
                raise NotACursor
            order, name, account_id = i_json.parse(urlsafe_b64decode(cursor.encode("ascii")))
            if not isinstance(name, str) or not isinstance(account_id, str) or "\0" in name + account_id:
                raise NotACursor
            return cls(Order(order), (name, account_id))
        except (ValueError, TypeError):
            raise NotACursor from None


@dataclass(frozen=True)
class Batch:
    """Accounts in order, without those whose rows are malformed. `end` is where the next batch begins; None if there
    are no more.
    """

    accounts: Sequence[Account]
    end: Key | None


class AccountSearch(Protocol):
    """The accounts, as an operator looks for them. Each method reads at most `most` rows, by an index."""

    async def by_email(self, prefix: str, after: Key | None, most: int) -> Batch:
        """Return up to `most` accounts whose email begins with `prefix`, by email."""

    async def by_name(self, prefix: str, after: Key | None, most: int) -> Batch:
        """Return up to `most` accounts whose name begins with `prefix`, ignoring case (on SQLite, only that of A to Z),
        by name.
        """

    async def unverified_since(self, since: datetime, most: int) -> Sequence[Account]:
        """Return up to `most` unverified accounts registered at `since` or later, the newest first."""

    async def emails_of(self, account_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the emails of the accounts with these ids, by id; without accounts that are gone."""
