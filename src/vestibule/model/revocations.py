"""Revocations: what ended before its tokens did, as a record that everybody reads and a set that everybody keeps.

The ids revoked within the life of an access token are few: a hundred log-outs a second for fifteen minutes are
90,000. So every process holds all of them in memory, and a check costs two look-ups and no I/O.
"""

import math
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from vestibule.model.access_tokens import AccessToken

OVERLAP_SECONDS = 30.0
"""How far back the tail is read again. Wider than the longest transaction, because sequence numbers are not commit
order: number 7 may be committed after 8 has been read."""

_FORGET_EVERY_SECONDS = 60.0
"""Going over a hundred thousand of them keeps everybody waiting for 25 ms, which is too dear for every look."""


class RevocationKind(StrEnum):
    """What a revocation is about."""

    SESSION = "session"
    ACCOUNT = "account"
    ACCOUNT_CHANGED = "account_changed"


@dataclass(frozen=True)
class Revocation:
    """From `at` on, tokens of `subject` are refused: a session's all, an account's those issued before `not_before`.

    `ACCOUNT_CHANGED` refuses nothing; it says that what is remembered of the account is out of date.
    After `forget_at` every such token has expired, and the record may be forgotten.
    """

    at: datetime
    kind: RevocationKind
    subject: str
    forget_at: datetime
    not_before: datetime | None = None
    sequence: int = 0


@dataclass(frozen=True)
class Notice:
    """What a service has to know of a revocation: whom it is about, since when, and for how long it matters.

    Seconds are counted from when it is heard, because two machines' clocks may disagree. `not_before` has whole
    seconds since 1970, as `iat` has; None for a session, whose tokens are refused whenever they were issued.
    """

    kind: RevocationKind
    subject: str
    seconds: int
    not_before: int | None = None

    @classmethod
    def of(cls, revocation: Revocation) -> "Notice | None":
        """None for what refuses nobody."""
        seconds = math.ceil((revocation.forget_at - revocation.at).total_seconds())
        if revocation.kind is RevocationKind.SESSION:
            return cls(revocation.kind, revocation.subject, seconds)
        if revocation.kind is RevocationKind.ACCOUNT and revocation.not_before is not None:
            return cls(revocation.kind, revocation.subject, seconds, int(revocation.not_before.timestamp()))
        return None


@dataclass(frozen=True)
class _Mark:
    """Tokens issued before `not_before` are refused, until `until`; `sequence` is the newest record of it."""

    not_before: float
    until: float
    sequence: int


@dataclass(frozen=True)
class Stretch:
    """How many records there are in a stretch of the record, and the sum of their numbers. One that was committed late
    and one that was deleted meanwhile make another sum, since the one deleted is the older by far.
    """

    count: int
    total: int


class Nudges(Protocol):
    """How one process tells the others to look now. A nudge may be lost; it carries nothing and proves nothing."""

    async def send(self) -> None:
        """Nudge the others. Never fails, and never takes long."""

    def listen(self) -> AsyncIterator[None]:
        """One value for each nudge, or for several at once; goes on through every fault."""


class RevocationSet:
    """Every revocation that still matters, in this process's memory, and how fresh that is.

    Times here are seconds of a clock that nobody can set (`Clock.monotonic`), so that a clock set back neither
    prolongs the trust nor forgets a revocation. Freshness is compared on every check, never kept by a timer: a
    process that was stopped for a while distrusts itself on its first answer after it wakes.
    """

    def __init__(self, staleness_seconds: float) -> None:
        self._staleness = staleness_seconds
        self._fresh_as_of = float("-inf")
        self._sessions: dict[str, tuple[float, int]] = {}
        self._accounts: dict[str, _Mark] = {}
        self._seen: set[int] = set()
        self._reads: deque[tuple[float, int]] = deque()
        self._floor = 0
        self._forgotten_at = float("-inf")
        self.generation = 0
        """Grows with every notice. What was read before a notice may not be remembered after it."""

    def __len__(self) -> int:
        return len(self._sessions) + len(self._accounts)

    def age(self, now: float) -> float:
        """Seconds since the read that this memory reflects was sent."""
        return now - self._fresh_as_of

    def trusted(self, now: float) -> bool:
        """Whether this memory may be relied on at `now`."""
        return self.age(now) <= self._staleness

    def refuses(self, token: AccessToken) -> bool:
        """Whether the token's session has been revoked, or its account since the token was issued."""
        if token.session_id in self._sessions:
            return True
        mark = self._accounts.get(token.account_id)
        return mark is not None and token.issued_at.timestamp() < mark.not_before

    def standing(self, after: int, now: float) -> list[Notice]:
        """What was recorded after a sequence number and still matters at `now`."""
        sessions = (
            Notice(RevocationKind.SESSION, subject, math.ceil(until - now))
            for subject, (until, sequence) in self._sessions.items()
            if sequence > after and until > now
        )
        accounts = (
            Notice(RevocationKind.ACCOUNT, subject, math.ceil(mark.until - now), int(mark.not_before))
            for subject, mark in self._accounts.items()
            if mark.sequence > after and mark.until > now
        )
        return [*sessions, *accounts]

    @property
    def fresh_as_of(self) -> float:
        """When the read that this memory reflects was sent."""
        return self._fresh_as_of

    @property
    def floor(self) -> int:
        """The sequence number after which a whole read begins: the last one there was an overlap ago."""
        return self._floor

    @property
    def last(self) -> int:
        """The sequence number after which a quick read begins: the last one seen."""
        return max(self._seen, default=self._floor)

    @property
    def overlap(self) -> Stretch:
        """What is known between `floor` and `last`."""
        return Stretch(len(self._seen), sum(self._seen))

    def learn(self, tail: list[Revocation], sent_at: float) -> list[Revocation]:
        """Take in what was read at `sent_at`; what of it is new. Taking it in again does no harm."""
        fresh = [revocation for revocation in tail if revocation.sequence not in self._seen]
        for revocation in fresh:
            self._note(revocation, sent_at)
        self.generation += len(fresh)
        return fresh

    def renew(self, sent_at: float) -> None:
        """A whole read that was sent at `sent_at` has been taken in: the memory is as fresh as that.

        A quick read renews nothing, because it may have passed over a number that was committed late.
        """
        self._reads.append((sent_at, self.last))
        while self._reads[0][0] < sent_at - OVERLAP_SECONDS:
            self._floor = max(self._floor, self._reads.popleft()[1])
            self._seen = {sequence for sequence in self._seen if sequence > self._floor}
        self._fresh_as_of = max(self._fresh_as_of, sent_at)

    def forget(self, now: float) -> None:
        """Drop what no living token can be about, once a minute."""
        if now - self._forgotten_at < _FORGET_EVERY_SECONDS:
            return
        self._forgotten_at = now
        self._sessions = {subject: known for subject, known in self._sessions.items() if known[0] > now}
        self._accounts = {subject: mark for subject, mark in self._accounts.items() if mark.until > now}

    def _note(self, revocation: Revocation, sent_at: float) -> None:
        self._seen.add(revocation.sequence)
        # Counted from when it was learnt, which is never before it was written.
        until = sent_at + (revocation.forget_at - revocation.at).total_seconds()
        if revocation.kind is RevocationKind.SESSION:
            self._sessions[revocation.subject] = until, revocation.sequence
        elif revocation.kind is RevocationKind.ACCOUNT and revocation.not_before is not None:
            earlier = self._accounts.get(revocation.subject, _Mark(0.0, 0.0, 0))
            # `iat` has whole seconds. A sign-in later in the same second is innocent; what was open before it
            # in that second has been revoked by its session's id as well.
            mark = float(int(revocation.not_before.timestamp()))
            self._accounts[revocation.subject] = _Mark(
                max(mark, earlier.not_before), max(until, earlier.until), max(revocation.sequence, earlier.sequence)
            )
