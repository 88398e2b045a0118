"""One-time tokens: the secrets in mailed links. Only their digest is kept, together with what they are for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Purpose(StrEnum):
    """What a token can be spent on; one made for the one thing is nothing to the other."""

    VERIFY_ADDRESS = "verify_address"
    RESET_PASSWORD = "reset_password"
    CHANGE_ADDRESS = "change_address"
    UNDO_ADDRESS_CHANGE = "undo_address_change"


LIFETIMES = {
    Purpose.VERIFY_ADDRESS: timedelta(hours=24),
    Purpose.RESET_PASSWORD: timedelta(minutes=10),
    Purpose.CHANGE_ADDRESS: timedelta(hours=24),
    Purpose.UNDO_ADDRESS_CHANGE: timedelta(hours=24),
}


@dataclass(frozen=True)
class OneTimeToken:
    """A token as it is stored: bound to an account, to the address it was mailed to, and to a purpose.

    A letter that is sent twice carries a token each time; `letter_id` tells that they are one. The `created_at` of one
    that undoes a change of address is the moment of that change, which tells it from earlier and later ones. One that
    proves an address is worth nothing in another `epoch` of the account than the one it was made in: it would prove it
    for a password that somebody else has set since.
    """

    digest: str
    account_id: str
    purpose: Purpose
    address: str
    created_at: datetime
    expires_at: datetime
    letter_id: str | None = None
    epoch: int = 0


def issue(
    digest: str, account_id: str, purpose: Purpose, address: str, now: datetime, letter_id: str | None = None
) -> OneTimeToken:
    """The record of a token made at `now`."""
    return OneTimeToken(digest, account_id, purpose, address, now, now + LIFETIMES[purpose], letter_id)
