"""Impersonation: an operator acts as somebody else, in a session of that account which says who acts.

Such a session has one access token and no refresh token, so it cannot be prolonged, and proves nothing about the
person: level 1, and never recent.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from vestibule.model.accounts import Account
from vestibule.model.permissions import OF_ROLE
from vestibule.model.sessions import Device, Session

LIFETIME = timedelta(minutes=30)
"""The longest that an operator acts as somebody at a time."""
MOST_AT_ONCE = 3
"""How many such sessions an operator may have at once. One more ends the oldest."""
_NO_DEVICE = Device("", "")  # the owner sees the session, but not where the operator is


class Impersonation(StrEnum):
    """Whether operators may act as somebody else, as VESTIBULE_IMPERSONATION says: yes, and the owner is told by email;
    yes; or no.
    """

    TOLD = "told"
    UNTOLD = "untold"
    OFF = "off"


def can_be_acted_as(account: Account) -> bool:
    """Return whether an operator may act as this account: no operator's, and not disabled."""
    return account.disabled_at is None and not OF_ROLE[account.role]


def begin_acting(session_id: str, account_id: str, operators: Session, now: datetime) -> Session:
    """Return a session of the account in which an operator acts. `operators` is the operator's own session; the new one
    ends with it at the latest.
    """
    ends_at = min(now + LIFETIME, operators.idle_expires_at, operators.expires_at)
    return Session(
        id=session_id,
        account_id=account_id,
        device=_NO_DEVICE,
        created_at=now,
        last_seen_at=now,
        idle_expires_at=ends_at,
        expires_at=ends_at,
        issued_at=now,
        authenticated_at=now,
        methods=(),
        parent_id=operators.id,
        actor_id=operators.account_id,
    )
