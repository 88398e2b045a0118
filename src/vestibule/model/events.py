"""Events: what happened to an account, for its owner and for the operator who has to explain a bad night."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

REQUEST_ID = "request_id"
"""The member of an event's detail, and of a line in the log, that says during which request it happened."""


class EventKind(StrEnum):
    """What happened."""

    REGISTERED = "registered"
    REGISTRATION_REFUSED = "registration_refused"
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SESSION_ENDED = "session_ended"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    SESSION_SHARED = "session_shared"
    EMAIL_VERIFIED = "email_verified"
    PASSWORD_RESET_REQUESTED = "password_reset_requested"
    PASSWORD_RESET = "password_reset"
    PASSWORD_CHANGED = "password_changed"
    EMAIL_CHANGED = "email_changed"
    EMAIL_TAKEN_BACK = "email_taken_back"
    SQUATTER_REMOVED = "squatter_removed"
    LETTER_REFUSED = "letter_refused"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    ACCOUNT_DELETED = "account_deleted"
    SIGNING_KEY_ROTATED = "signing_key_rotated"
    SIGNING_KEY_WITHDRAWN = "signing_key_withdrawn"
    IMPORTED = "imported"
    SERVICE_CREATED = "service_created"
    SERVICE_REVOKED = "service_revoked"


@dataclass(frozen=True)
class Event:
    """One thing that happened. Never holds a password, a token or a link."""

    at: datetime
    kind: EventKind
    account_id: str | None = None
    session_id: str | None = None
    network_address: str | None = None
    detail: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EventFilter:
    """Which events somebody wants to see: those that fit everything that is given here. `after` is a number."""

    account_id: str | None = None
    network_address: str | None = None
    kinds: tuple[EventKind, ...] = ()
    since: datetime | None = None
    after: int = 0


class Events(Protocol):
    """What happened."""

    async def record(self, *events: Event) -> None:
        """Keep the events; one about an account that was deleted meanwhile is about nobody. Each becomes a line in the
        log as well, once the transaction has committed.
        """

    async def find(self, wanted: EventFilter, most: int) -> list[tuple[int, Event]]:
        """Return up to `most` of the newest events that fit, the oldest of them first, each with its number."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` events from before `before`, the oldest first; return their number."""

    async def detach(self, account_id: str, most: int) -> int:
        """Remove from up to `most` of an account's events whom they concern, the session, the network address and the
        details; return their number. That they happened stays.
        """

    async def of_account(self, account_id: str, most: int) -> list[Event]:
        """Return up to `most` events of an account, the latest first."""

    async def page(self, account_id: str, before: tuple[datetime, int], most: int) -> list[tuple[int, Event]]:
        """Return up to `most` events of an account, the latest first, each with its number: those from before a moment,
        or in that moment with a lesser number.
        """
