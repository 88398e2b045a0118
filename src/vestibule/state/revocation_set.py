"""The set of revocations that every process holds: a check is two look-ups and no I/O."""

import math
from collections import deque
from collections.abc import Iterator

from vestibule.model.clock import MOST_APART
from vestibule.model.revocations import OVERLAP_SECONDS, Notice, Range, Reach, Revocation, RevocationKind
from vestibule.protocol.access_tokens import AccessToken
from vestibule.protocol.revocations import Revoked


class RevocationSet:
    """Every revocation that still matters, in this process's memory, its number in the record, and how fresh that is.

    Times here are seconds of a clock that nobody can set (`Clock.monotonic`), so that a clock set back neither
    prolongs the trust nor drops a revocation. Freshness is compared on every check, never kept by a timer: a
    process that was stopped for a while distrusts itself on its first answer after it wakes.
    """

    def __init__(self, staleness_seconds: float) -> None:
        self._staleness = staleness_seconds
        self._revoked = Revoked()
        self._numbers: dict[str, int] = {}
        self._seen: set[int] = set()
        self._last = self._total = 0
        self._reads: deque[tuple[float, int]] = deque()
        self._floor = 0
        self._until = 0.0
        self.reach: Reach | None = None
        """Chosen by the first read, so that each sees the same record; and anew once its clock was set back."""
        self.clock_offset = 0.0
        """How far, in seconds, the wall clock was from the one that nobody sets when the last whole read was sent."""
        self._chosen_by = 0.0
        self.generation = 0
        """Grows with every notice. What was read before a notice may not be remembered after it."""

    def __len__(self) -> int:
        return len(self._revoked)

    def age(self, now: float) -> float:
        """Return the seconds since the read that this memory reflects was sent."""
        return self._revoked.age(now)

    def trusted(self, now: float) -> bool:
        """Return whether this memory may be relied on at `now`."""
        return self.age(now) <= self._staleness

    def refuses(self, token: AccessToken) -> bool:
        """Return whether the token's session was revoked, or its account after the token was issued."""
        return self._revoked.refuses(token.session_id, token.account_id, token.issued_at)

    def standing(self, after: int, now: float) -> Iterator[Notice]:
        """Yield what was recorded after a sequence number and still matters at `now`, one by one, so that other
        requests are answered in between.
        """
        for subject, until in list(self._revoked.sessions.items()):
            if self._numbers.get(subject, 0) > after and until > now:
                yield Notice(RevocationKind.SESSION, subject, math.ceil(until - now))
        for subject, (not_before, until) in list(self._revoked.accounts.items()):
            if self._numbers.get(subject, 0) > after and until > now:
                yield Notice(RevocationKind.ACCOUNT, subject, math.ceil(until - now), not_before)

    @property
    def fresh_as_of(self) -> float:
        """Return when the read that this memory reflects was sent."""
        return self._revoked.fresh_as_of

    @property
    def floor(self) -> int:
        """Return the sequence number after which a whole read begins: the last one there was an overlap ago."""
        return self._floor

    @property
    def last(self) -> int:
        """Return the sequence number after which a quick read begins: the last one seen."""
        return self._last

    @property
    def overlap(self) -> Range:
        """Return count and sum of the sequence numbers known between `floor` and `last`."""
        return Range(len(self._seen), self._total)

    def chosen_ahead(self, clock_offset: float) -> bool:
        """Return whether the clock that chose the reach was ahead of what it shows now, so that records that still
        matter may have been left out.
        """
        return self._chosen_by - clock_offset > MOST_APART.total_seconds()

    def begin(self, reach: Reach, clock_offset: float) -> None:
        """Read the whole record within `reach` from now on, from its first number. What is known still refuses."""
        self.reach, self._chosen_by = reach, clock_offset
        self._floor = self._last = self._total = 0
        self._seen.clear()
        self._reads.clear()

    def learn(self, backlog: list[Revocation], sent_at: float) -> list[Revocation]:
        """Take in what was read at `sent_at`; return what was new. Repeating it does no harm."""
        fresh = [revocation for revocation in backlog if revocation.sequence not in self._seen]
        for revocation in fresh:
            self._note(revocation, sent_at)
        self.generation += len(fresh)
        return fresh

    def renew(self, sent_at: float, clock_offset: float = 0.0) -> None:
        """Note that a whole read, sent at `sent_at`, was taken in: the memory is as fresh as that.

        A quick read renews nothing, because it may have missed a number that was committed late.
        """
        self._reads.append((sent_at, self.last))
        while self._reads[0][0] < sent_at - OVERLAP_SECONDS:
            self._raise_floor(self._reads.popleft()[1])
        self._revoked.renew(sent_at)
        self.clock_offset = clock_offset

    def distrust(self) -> None:
        """Rely on nothing until the next whole read."""
        self._revoked.fresh_as_of = float("-inf")

    def purge(self, now: float) -> None:
        """Drop revocations whose tokens have all expired, once a minute."""
        for subject in self._revoked.purge(now):
            self._numbers.pop(subject, None)

    def _raise_floor(self, floor: int) -> None:
        if floor <= self._floor:
            return
        self._floor = floor
        self._seen = {sequence for sequence in self._seen if sequence > floor}
        self._last, self._total = max(self._seen, default=floor), sum(self._seen)

    def _note(self, revocation: Revocation, sent_at: float) -> None:
        self._seen.add(revocation.sequence)
        self._last = max(self._last, revocation.sequence)
        self._total += revocation.sequence
        # Count from when it was learnt, which is never before it was written.
        until = sent_at + (revocation.purge_at - revocation.at).total_seconds()
        # Share one float among all that were read together: a million floats take 24 MB.
        until = self._until = self._until if until == self._until else until
        if revocation.kind is RevocationKind.SESSION:
            self._revoked.end_session(revocation.subject, until)
            self._number(revocation)
        elif revocation.kind is RevocationKind.ACCOUNT and revocation.not_before is not None:
            # `iat` has whole seconds. Keep a sign-in later in the same second; sessions opened earlier in that second
            # are revoked by their ids as well.
            self._revoked.end_account(revocation.subject, int(revocation.not_before.timestamp()), until)
            self._number(revocation)

    def _number(self, revocation: Revocation) -> None:
        """Note the newest record about a subject."""
        known = self._numbers.get(revocation.subject, 0)
        self._numbers[revocation.subject] = max(revocation.sequence, known)
