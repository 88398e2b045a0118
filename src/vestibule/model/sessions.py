"""Sessions: one for each sign-in, with the state that decides about refreshing and the reason it ended.

`docs/decisions/0004-refresh.md` tells the protocol; `Session` holds its four numbers.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from vestibule.model.accounts import Account

_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")

MAX_LIVE_SUCCESSORS = 16
MOST_COUNTED = 2_000
"""How many sessions of an account are counted when one more begins; more only says that there are too many."""


class EndReason(StrEnum):
    """Why a session is over."""

    SIGNED_OUT = "signed_out"
    SIGNED_OUT_ELSEWHERE = "signed_out_elsewhere"
    EXPIRED = "expired"
    IDLE = "idle"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    EMAIL_CHANGED = "email_changed"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    ENDED_BY_OPERATOR = "ended_by_operator"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_DELETED = "account_deleted"
    TOO_MANY_SESSIONS = "too_many_sessions"


def is_session_id(text: str) -> bool:
    """Return whether `text` has the shape of an id at all; anything else need not be looked up."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class Device:
    """What signed in, as it described itself. For people to recognise; never a credential."""

    user_agent: str
    network_address: str


@dataclass(frozen=True)
class SessionLimits:
    """How long a session lives: unused (`idle`), and in all (`absolute`); how late a racing tab may come; and how many
    sessions one account may have at once.
    """

    idle: timedelta
    absolute: timedelta
    refresh_grace: timedelta
    rotate: bool = True
    for_account: int = 100

    def idle_end(self, now: datetime, expires_at: datetime) -> datetime:
        """Return when a session used at `now` ends if it is not used again; never after its absolute end."""
        return min(now + self.idle, expires_at)

    def may_have_issued(self, issued_at: datetime, now: datetime) -> bool:
        """Return whether a session that was last given tokens at `issued_at` may have an access token from the second
        of `now`: a racing tab is given one without a new refresh token, and everybody is where those do not rotate.
        """
        return not self.rotate or issued_at >= now - self.refresh_grace - timedelta(seconds=1)


@dataclass(frozen=True)
class Session:
    """One sign-in. `current` is the last refresh counter issued, `parent` the last one accepted,
    `base` what had been issued when that was accepted, `issued_at` when `current` was issued.
    """

    id: str
    account_id: str
    device: Device
    created_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    issued_at: datetime
    current: int = 1
    parent: int = 0
    base: int = 0
    ended_at: datetime | None = None
    end_reason: EndReason | None = None

    def live(self, now: datetime) -> bool:
        """Return whether the session can still be used at `now`."""
        return self.ended_at is None and now < self.idle_expires_at

    def why_over(self, now: datetime) -> EndReason | None:
        """Return why the session cannot be used at `now`; None while it can."""
        if self.live(now):
            return None
        if self.end_reason is not None:
            return self.end_reason
        return EndReason.EXPIRED if now >= self.expires_at else EndReason.IDLE


def begin(session_id: str, account_id: str, device: Device, limits: SessionLimits, now: datetime) -> Session:
    """Return a session that starts at `now`, with its first refresh counter issued."""
    expires_at = now + limits.absolute
    return Session(
        id=session_id,
        account_id=account_id,
        device=device,
        created_at=now,
        last_seen_at=now,
        idle_expires_at=limits.idle_end(now, expires_at),
        expires_at=expires_at,
        issued_at=now,
    )


class SessionReplica(Protocol):
    """A copy of live sessions for others to read. It may lag and be lost, so nothing is decided by it."""

    async def show(self, session: Session, account: Account) -> None:
        """Publish a live session until it would expire."""

    async def drop(self, session_ids: list[str]) -> None:
        """Take ended sessions away."""

    async def look_over(self) -> None:
        """Say in the log what is wrong with how it is set up, if anything is. Never fails."""


Issued = dict[str, datetime]
"""Sessions that ended, by their ids, each with the latest moment on any clock at which it was given tokens."""


class Sessions(Protocol):
    """Who is signed in where."""

    async def open(self, session: Session, epoch: int) -> int:
        """Begin the session, if the account is enabled and still in the epoch its credential was checked in; return how
        many sessions of the account have not been ended by then, counted up to `MOST_COUNTED`, or 0 if it did not
        begin.

        Holds the account against a change of credential until the transaction ends, so that such a change either
        refuses this session or sees it and ends it.
        """

    async def find(self, session_id: str) -> tuple[Session, Account] | None:
        """Return the session, live or ended, with its account; None if there is none."""

    async def rotate(self, session_id: str, counter: int, limits: SessionLimits, now: datetime) -> bool:
        """Accept `counter` and issue the next one, if the protocol allows; return False, and do nothing, otherwise."""

    async def had(self, account_id: str, device: Device, now: datetime) -> bool:
        """Return whether an earlier session of the account, live or ended, came from this program on this network
        address.
        """

    async def of_account(self, account_id: str, most: int, now: datetime) -> list[Session]:
        """Return up to `most` live sessions of an account, the one last seen first."""

    async def count_live(self, account_id: str, now: datetime) -> int:
        """Return how many live sessions the account has, counted up to `MOST_COUNTED`."""

    async def page(
        self, account_id: str, before: tuple[datetime, str], most: int, now: datetime, *, live: bool
    ) -> list[Session]:
        """Return up to `most` sessions of an account that are live, or up to `most` that are over, the newest first:
        those that began before a moment, or in that moment with a lesser id.
        """

    async def past(self, account_id: str, most: int, now: datetime) -> list[Session]:
        """Return up to `most` sessions of an account that are over, the one last seen first."""

    async def end(self, session_id: str, account_id: str, reason: EndReason, now: datetime) -> Issued:
        """End one live session of an account and return it; nothing if it was over already, or is not the account's."""

    async def end_all(self, account_id: str, reason: EndReason, now: datetime) -> Issued:
        """End every session of an account, however many; return those that were live. One over by its age ends too and
        keeps that reason: by a right clock it may have been live.
        """

    async def end_others(self, account_id: str, spare: str, most: int, reason: EndReason, now: datetime) -> Issued:
        """End up to `most` live sessions of an account, never `spare`; return them."""

    async def end_longest_unseen(self, account_id: str, most: int, spare: str, now: datetime) -> Issued:
        """End the `most` sessions of an account that were unseen for longest, but never `spare`; return those that were
        live. One that was over by its age keeps that reason.
        """

    async def purge_past(self, account_id: str, now: datetime, most: int) -> int:
        """Delete up to `most` sessions of an account that are over; return their number."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` sessions that cannot have lived beyond a moment before `before`; return their number."""
