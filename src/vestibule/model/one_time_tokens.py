"""One-time tokens: the secrets in mailed links. Only their digest is kept, together with what they are for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Purpose(StrEnum):
    """What a token can be spent on; one made for the one thing is nothing to the other."""

    VERIFY_ADDRESS = "verify_address"
    RESET_PASSWORD = "reset_password"


LIFETIMES = {
    Purpose.VERIFY_ADDRESS: timedelta(hours=24),
    Purpose.RESET_PASSWORD: timedelta(minutes=10),
}


@dataclass(frozen=True)
class OneTimeToken:
    """A token as it is stored: bound to an account, to the address it was mailed to, and to a purpose."""

    digest: str
    account_id: str
    purpose: Purpose
    address: str
    created_at: datetime
    expires_at: datetime


def issue(digest: str, account_id: str, purpose: Purpose, address: str, now: datetime) -> OneTimeToken:
    """The record of a token made at `now`."""
    return OneTimeToken(digest, account_id, purpose, address, now, now + LIFETIMES[purpose])
