"""Sessions: one for each sign-in, with its refresh counters and the reason why it ended.

`flows/refresh.py` and `docs/decisions/0004-refresh.md` describe the refresh protocol.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from vestibule.model.accounts import Account
from vestibule.model.session_limits import SessionLimits
from vestibule.protocol.authentication import Method

MAX_LIVE_SUCCESSORS = 16
"""How many refresh tokens issued in exchange for the same one may be valid at once: several answers may get lost."""
MOST_COUNTED = 2_000
"""How many sessions of an account are counted at most. From there on they are too many, whatever the number."""


class EndReason(StrEnum):
    """Why a session is over."""

    SIGNED_OUT = "signed_out"
    SIGNED_OUT_ELSEWHERE = "signed_out_elsewhere"
    EXPIRED = "expired"
    IDLE = "idle"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    EMAIL_CHANGED = "email_changed"
    EMAIL_TAKEN_BACK = "email_taken_back"
    FACTORS_RESET = "factors_reset"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    ENDED_BY_OPERATOR = "ended_by_operator"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_DELETED = "account_deleted"
    TOO_MANY_SESSIONS = "too_many_sessions"
    SECOND_FACTOR_REQUIRED = "second_factor_required"
    ROLE_CHANGED = "role_changed"
    ACTING_ENDED = "acting_ended"


@dataclass(frozen=True)
class Device:
    """The program and network address that a request came from. For people to recognise; never a credential."""

    user_agent: str
    network_address: str


@dataclass(frozen=True)
class Session:
    """One sign-in. `methods` say how its user last authenticated, at `authenticated_at` (`amr`, RFC 8176).

    The refresh counters of a session: `current` is the last one issued, at `issued_at`; `parent` is the last one
    accepted; `base` is the last one that had been issued when `parent` was accepted. So the live successors are those
    above `base`.

    In a session with an `actor_id` an operator acts as the owner of the account: `actor_id` is the operator's account,
    `parent_id` the session by which the operator is signed in. Nobody has proved to be the owner, so it has no methods.
    """

    id: str
    account_id: str
    device: Device
    created_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    issued_at: datetime
    authenticated_at: datetime
    methods: tuple[str, ...] = (Method.PASSWORD,)
    current: int = 1
    parent: int = 0
    base: int = 0
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    parent_id: str | None = None
    actor_id: str | None = None

    def live(self, now: datetime) -> bool:
        """Return whether the session can still be used at `now`."""
        return self.ended_at is None and now < self.idle_expires_at

    def takes(self, counter: int) -> bool:
        """Return whether a refresh token with this counter can be exchanged, while the session lives."""
        return counter == self.parent or self.base < counter <= self.current

    def methods_left(self, methods: tuple[str, ...]) -> tuple[str, ...]:
        """Return `methods`, those of one of the session's tokens; without `mfa`, if the session no longer has that."""
        lost = {Method.MORE_THAN_ONE_FACTOR} - set(self.methods)
        return tuple(method for method in methods if method not in lost)

    def why_over(self, now: datetime) -> EndReason | None:
        """Return why the session cannot be used at `now`; None while it can."""
        if self.live(now):
            return None
        if self.end_reason is not None:
            return self.end_reason
        return EndReason.EXPIRED if now >= self.expires_at else EndReason.IDLE


def begin(
    session_id: str,
    account_id: str,
    device: Device,
    limits: SessionLimits,
    now: datetime,
    methods: tuple[str, ...] = (Method.PASSWORD,),
) -> Session:
    """Return a session that starts at `now`, by these methods, with its first refresh counter issued."""
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
        authenticated_at=now,
        methods=methods,
    )


class SessionReplica(Protocol):
    """A copy of live sessions for other programs. It may be late or lost, so Vestibule decides nothing by it."""

    async def put(self, session: Session, account: Account) -> None:
        """Store a live session until it expires."""

    async def drop(self, session_ids: list[str]) -> None:
        """Remove ended sessions."""

    async def check_setup(self) -> None:
        """Log if the replica's server cannot be reached, if it can again, and if it may evict data when its memory is
        full. Never fails.
        """


class EndedSessions(dict[str, datetime]):
    """Sessions that ended: each id with the latest time, by any machine's clock, at which the session got tokens.
    `acted` has the ids of those in which an operator began to act as somebody else.
    """

    acted: tuple[str, ...] = ()


class Sessions(Protocol):
    """The sessions."""

    async def open(self, session: Session, epoch: int) -> int:
        """Begin the session, if the account is enabled and still in `epoch`, in which its credential was checked.
        Return how many sessions of the account have not been ended, including this one, counted up to `MOST_COUNTED`; 0
        if the session did not begin. Sessions in which an operator acts are not counted.

        Locks the account's epoch until the transaction ends. A concurrent change of credential either comes first, and
        this session does not begin; or it comes later, and ends this session.
        """

    async def begin_acting(self, session: Session, epoch: int, now: datetime) -> bool:
        """Begin a session in which an operator acts, and note in the operator's session that one has begun; return
        whether it began, as `open` does. Call it with both accounts locked.
        """

    async def acting(self, actor_id: str | None, most: int, now: datetime) -> list[tuple[Session, Account]]:
        """Return up to `most` live sessions in which this operator acts, or any operator if `actor_id` is None, each
        with the account that the operator acts as; the newest first.
        """

    async def end_acting(self, parent_id: str, reason: EndReason, now: datetime) -> list[Session]:
        """End the live sessions in which an operator acts who is signed in by the session `parent_id`; return them as
        they were.
        """

    async def find(self, session_id: str) -> tuple[Session, Account] | None:
        """Return the session, live or ended, with its account; None if there is none."""

    async def rotate(
        self, session_id: str, counter: int, limits: SessionLimits, now: datetime
    ) -> tuple[Session, Account] | None:
        """Accept `counter` and issue the next one, if the protocol allows it; return the session as changed, with its
        account. Otherwise do nothing and return None. May be called in `Store.steps`.
        """

    async def step_up(
        self, session_id: str, account_id: str, methods: tuple[str, ...], limits: SessionLimits, now: datetime
    ) -> Session | None:
        """Note that the user of a live session authenticated again, by these methods, and return the changed session;
        None if it is over or another account's. Its refresh counters stay, so that no token becomes invalid.
        """

    async def drop_second_factor(self, account_id: str) -> None:
        """Lower the level of the account's sessions to one factor: the account has no second factor any more. Call it
        with the account locked.
        """

    async def seen_on_device(self, account_id: str, device: Device, now: datetime) -> bool:
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
        """Return up to `most` sessions of an account, the newest first: those that are live, or those that are over.
        `before` is the begin and the id of the session where the page before ended.
        """

    async def past(self, account_id: str, most: int, now: datetime) -> list[Session]:
        """Return up to `most` sessions of an account that are over, the one last seen first."""

    async def end(self, session_id: str, account_id: str, reason: EndReason, now: datetime) -> EndedSessions:
        """End one live session of an account and return it; return an empty dict if the session was over or is
        another account's.
        """

    async def end_all(self, account_id: str, reason: EndReason, now: datetime) -> EndedSessions:
        """End every session of an account; return those that were live. Also mark expired sessions as ended, with this
        reason: by another machine's clock they may be live.
        """

    async def end_others(
        self, account_id: str, spare: str, most: int, reason: EndReason, now: datetime
    ) -> EndedSessions:
        """End up to `most` live sessions of an account, never `spare`; return them."""

    async def end_others_by(
        self, account_id: str, spare: str, method: Method, most: int, reason: EndReason, now: datetime
    ) -> EndedSessions:
        """End those of `end_others` whose user proved more than one factor, this method among them."""

    async def end_longest_unseen(self, account_id: str, most: int, spare: str, now: datetime) -> EndedSessions:
        """End the `most` sessions of an account that were unseen for longest, never `spare`, nor one in which an
        operator acts; return those that were live. Expired ones keep `expired` or `idle` as their reason.
        """

    async def purge_past(self, account_id: str, now: datetime, most: int) -> int:
        """Delete up to `most` sessions of an account that are over; return their number."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` sessions whose latest possible end is before `before`; return their number."""
