"""Events: what happened to an account, for its owner and for an operator who investigates an incident."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

REQUEST_ID = "request_id"
"""The key of the request's id, in an event's detail and in a log line."""
ACTOR_SESSION = "actor_session"
"""The key of the session in which an operator acted, in an event's detail."""


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
    LINK_MAILED = "link_mailed"
    INVITED = "invited"
    INVITATION_ACCEPTED = "invitation_accepted"
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
    FACTOR_REPORTED = "factor_reported"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    FACTOR_RESET_BEGUN = "factor_reset_begun"
    FACTOR_RESET_CANCELED = "factor_reset_canceled"
    FACTORS_RESET = "factors_reset"
    LETTER_REFUSED = "letter_refused"
    ACTING_BEGUN = "acting_begun"
    SESSIONS_ENDED = "sessions_ended"
    ROLE_CHANGED = "role_changed"
    ROLES_CHANGED = "roles_changed"
    ROLE_CREATED = "role_created"
    ROLE_PERMISSIONS_CHANGED = "role_permissions_changed"
    ROLE_DELETED = "role_deleted"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    ACCOUNT_UNLOCKED = "account_unlocked"
    ACCOUNT_DELETED = "account_deleted"
    SIGNING_KEY_ROTATED = "signing_key_rotated"
    SIGNING_KEY_WITHDRAWN = "signing_key_withdrawn"
    IMPORTED = "imported"
    SERVICE_CREATED = "service_created"
    SERVICE_REVOKED = "service_revoked"
    LETTERS_RETRIED = "letters_retried"
    DATA_EXPORTED = "data_exported"


@dataclass(frozen=True)
class Event:
    """One thing that happened. Never holds a password, a token or a link."""

    at: datetime
    kind: EventKind
    account_id: str | None = None
    session_id: str | None = None
    network_address: str | None = None
    detail: dict[str, str] = field(default_factory=dict)
    actor_id: str | None = None
    """The account of the operator who did it to another account; it may be deleted since."""

    def for_owner(self) -> "Event":
        """Return the event as the owner of the account may see it: not which operator acted, nor from where."""
        if self.actor_id is None:
            return self
        detail = {name: value for name, value in self.detail.items() if name != ACTOR_SESSION}
        return replace(self, network_address=None, actor_id=None, detail=detail)


@dataclass(frozen=True)
class EventFilter:
    """Which events to find: those that match every field that is set. `after` is an event's number."""

    account_id: str | None = None
    network_address: str | None = None
    kinds: tuple[EventKind, ...] = ()
    since: datetime | None = None
    after: int | None = None


class Events(Protocol):
    """The stored events. Events are never changed, only deleted, or detached from a deleted account."""

    async def record(self, *events: Event) -> None:
        """Store the events. If an event's account was deleted meanwhile, store it without the account. Each event also
        becomes a log line, once the transaction has committed.
        """

    async def find(self, wanted: EventFilter, most: int) -> list[tuple[int, Event]]:
        """Return up to `most` of the newest events that match, each with its number, the oldest of them first. With
        `wanted.after`, return instead the first ones after it, so that asking again and again misses none.
        """

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` events from before `before`, the oldest first; return their number."""

    async def detach(self, account_id: str, most: int) -> int:
        """Remove account, session, network address and detail from up to `most` of an account's events; return their
        number. Kind, time and actor stay.
        """

    async def of_account(self, account_id: str, most: int) -> list[Event]:
        """Return up to `most` events of an account, the latest first."""

    async def page(self, account_id: str, before: tuple[datetime, int], most: int) -> list[tuple[int, Event]]:
        """Return up to `most` events of an account, the latest first, each with its number. `before` is the time and
        the number of the event where the page before ended.
        """
