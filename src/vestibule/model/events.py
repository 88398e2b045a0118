"""Events: what happened to an account, for its owner and for an operator who investigates an incident."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

REQUEST_ID = "request_id"
"""The key of the request's id, in an event's detail and in a log line."""


class EventKind(StrEnum):
    """The kinds of events."""

    REGISTERED = "registered"
    REGISTRATION_REFUSED = "registration_refused"
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    STEPPED_UP = "stepped_up"
    SECOND_FACTOR_REFUSED = "second_factor_refused"
    SESSION_ENDED = "session_ended"
    PASSKEY_MAY_BE_COPIED = "passkey_may_be_copied"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    SESSION_SHARED = "session_shared"
    EMAIL_VERIFIED = "email_verified"
    PASSWORD_RESET_REQUESTED = "password_reset_requested"
    PASSWORD_RESET = "password_reset"
    EMAIL_CODE_REQUESTED = "email_code_requested"
    EMAIL_CODE_REFUSED = "email_code_refused"
    PASSWORD_CHANGED = "password_changed"
    NAME_CHANGED = "name_changed"
    EMAIL_CHANGED = "email_changed"
    EMAIL_TAKEN_BACK = "email_taken_back"
    SQUATTER_REMOVED = "squatter_removed"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    FACTOR_RESET_BEGUN = "factor_reset_begun"
    FACTOR_RESET_CANCELED = "factor_reset_canceled"
    FACTORS_RESET = "factors_reset"
    LETTER_REFUSED = "letter_refused"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    ACCOUNT_UNLOCKED = "account_unlocked"
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
    """Which events to find: those that match every field that is set. `after` is an event's number."""

    account_id: str | None = None
    network_address: str | None = None
    kinds: tuple[EventKind, ...] = ()
    since: datetime | None = None
    after: int = 0


class Events(Protocol):
    """The stored events. Events are never changed, only deleted, or detached from a deleted account."""

    async def record(self, *events: Event) -> None:
        """Store the events. If an event's account was deleted meanwhile, store it without the account. Each event also
        becomes a log line, once the transaction has committed.
        """

    async def find(self, wanted: EventFilter, most: int) -> list[tuple[int, Event]]:
        """Return up to `most` of the newest events that match, the oldest of them first, each with its number."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` events from before `before`, the oldest first; return their number."""

    async def detach(self, account_id: str, most: int) -> int:
        """Remove account, session, network address and detail from up to `most` of an account's events; return their
        number. Kind and time stay.
        """

    async def of_account(self, account_id: str, most: int) -> list[Event]:
        """Return up to `most` events of an account, the latest first."""

    async def page(self, account_id: str, before: tuple[datetime, int], most: int) -> list[tuple[int, Event]]:
        """Return up to `most` events of an account, the latest first, each with its number. `before` is the time and
        the number of the event where the page before ended.
        """
