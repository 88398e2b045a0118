"""The revocations that every process keeps in memory: a check is two look-ups and no I/O."""

import hashlib
import math
from collections import deque
from collections.abc import Iterator

from vestibule.model.clock import MOST_APART
from vestibule.model.revocations import OVERLAP_SECONDS, Notice, RangeChecksum, Reach, Revocation, RevocationKind
from vestibule.protocol.access_tokens import AccessToken
from vestibule.protocol.revocations import Revoked
from vestibule.state.sequence_index import SequenceIndex

_MAX_DIGITS = 18  # of a sequence number, so that it fits 64 bits
_MARK_DIGITS = 8  # hexadecimal, of the digest of a revoked session's or account's id


class RevocationSet:
    """Every revocation that still matters, and the time of the last whole read.

    The record of revocations is in the database, numbered. A quick read brings what comes after `last`. A whole read
    begins earlier, after `floor`, and so finds numbers that were committed late as well.

    Times are seconds of a clock that nobody can set (`Clock.monotonic`). Setting the wall clock back therefore neither
    prolongs trust in this memory nor drops a revocation. Every check compares the age itself, and relies on no timer: a
    process that was suspended distrusts its memory at the first check afterwards.
    """

    def __init__(self, staleness_seconds: float) -> None:
        self._staleness = staleness_seconds
        self._revoked = Revoked()
        self._index = SequenceIndex()
        self._seen: set[int] = set()
        self._last = self._total = 0
        self._reads: deque[tuple[float, int]] = deque()  # of each whole read: when it was sent, and `last` after it
        self._floor, self._floor_mark = 0, ""
        self._until = 0.0
        self.reach: Reach | None = None
        """Which part of the record is read. It is chosen at the first read, and again if the wall clock was ahead then
        and has been set back.
        """
        self.clock_offset = 0.0
        """The wall clock minus the monotonic clock, in seconds, when the last whole read was sent."""
        self._offset_at_choice = 0.0
        self.generation = 0
        """Grows with every new revocation. If this number grew since a session was read, do not remember that
        session.
        """

    def __len__(self) -> int:
        return len(self._revoked)

    def age(self, now: float) -> float:
        """Return the seconds since the last whole read was sent."""
        return self._revoked.age(now)

    def trusted(self, now: float) -> bool:
        """Return whether this memory may be relied on at `now`."""
        return now - self._revoked.fresh_as_of <= self._staleness

    def refuses(self, token: AccessToken) -> bool:
        """Return whether the token's session was revoked, or its account after the token was issued."""
        return self._revoked.refuses(token.session_id, token.account_id, token.issued_at)

    def still_in_force(self, after: int, now: float) -> Iterator[list[Notice]]:
        """Yield the revocations after a sequence number that still matter at `now`, in order, in lists, so that the
        caller can pause between two. A list is what remains of at most `LOOKED_AT_ONCE` subjects, and may be empty.
        """
        for subjects in self._index.after(after):
            notices = (self._notice(subject, now) for subject in subjects)
            yield [notice for notice in notices if notice and notice.seconds > 0]

    def _notice(self, subject: str, now: float) -> Notice | None:
        """Return what a service is told about a session or account; None if it is not revoked any more."""
        if (until := self._revoked.sessions.get(subject)) is not None:
            return Notice(RevocationKind.SESSION, subject, math.ceil(until - now))
        if (ended := self._revoked.accounts.get(subject)) is not None:
            not_before, until = ended
            return Notice(RevocationKind.ACCOUNT, subject, math.ceil(until - now), not_before)
        return None

    @property
    def fresh_as_of(self) -> float:
        """Return when the last whole read was sent."""
        return self._revoked.fresh_as_of

    @property
    def floor(self) -> int:
        """Return the sequence number after which a whole read begins: the last one known `OVERLAP_SECONDS` ago."""
        return self._floor

    @property
    def cursor(self) -> str:
        """Return what a service sends to go on after `floor`: the number, and a mark of the revocation that has it; "0"
        if that revocation is not known.
        """
        return f"{self._floor}-{self._floor_mark}" if self._floor_mark else "0"

    def number_of(self, cursor: str) -> int:
        """Return the sequence number after which a cursor continues; 0, for the beginning, unless the mark shows that
        the number still has the same revocation. After a backup is restored, other revocations get numbers that
        services know already.
        """
        digits, _, mark = cursor.partition("-")
        number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS else 0
        return number if mark and mark == self._mark_of(number) else 0

    def _mark_of(self, number: int) -> str:
        """Return the mark of the revocation with this number; empty if it is not known."""
        if number == self._floor:
            return self._floor_mark
        subject = self._index.at(number)
        return hashlib.sha256(subject.encode()).hexdigest()[:_MARK_DIGITS] if subject else ""

    @property
    def last(self) -> int:
        """Return the sequence number after which a quick read begins: the highest one known."""
        return self._last

    @property
    def overlap(self) -> RangeChecksum:
        """Return count and sum of the sequence numbers known between `floor` and `last`."""
        return RangeChecksum(len(self._seen), self._total)

    def reach_may_be_too_short(self, clock_offset: float) -> bool:
        """Return whether the reach may leave out revocations that still matter, because the wall clock was ahead when
        the reach was chosen, and has been set back.
        """
        return self._offset_at_choice - clock_offset > MOST_APART.total_seconds()

    def begin(self, reach: Reach, clock_offset: float) -> None:
        """Begin to read the record within `reach`, from its first number. Revocations known already stay in force."""
        self.reach, self._offset_at_choice = reach, clock_offset
        self._floor = self._last = self._total = 0
        self._floor_mark = ""
        self._seen.clear()
        self._reads.clear()

    def add(self, revocations: list[Revocation], sent_at: float) -> list[Revocation]:
        """Add revocations from a read sent at `sent_at`; return the new ones. Adding one twice does no harm."""
        new = [revocation for revocation in revocations if revocation.sequence not in self._seen]
        for revocation in new:
            self._note(revocation, sent_at)
        self.generation += len(new)
        return new

    def renew(self, sent_at: float, clock_offset: float = 0.0) -> None:
        """Note that everything revoked before `sent_at` is known, because a whole read sent at that time was added.

        Do not call this after a quick read, which may have missed a number that was committed late.
        """
        self._reads.append((sent_at, self.last))
        while self._first_read_at < sent_at - OVERLAP_SECONDS:
            _, last = self._reads.popleft()
            self._raise_floor(last)
        self._revoked.renew(sent_at)
        self.clock_offset = clock_offset

    def distrust(self) -> None:
        """Make `trusted` False until the next whole read."""
        self._revoked.fresh_as_of = float("-inf")

    def purge(self, now: float) -> None:
        """Drop revocations whose tokens have all expired. Does nothing within a minute of the last time."""
        for subject in self._revoked.purge(now):
            self._index.discard(subject)

    @property
    def _first_read_at(self) -> float:
        sent_at, _last = self._reads[0]
        return sent_at

    def _raise_floor(self, floor: int) -> None:
        if floor <= self._floor:
            return
        self._floor_mark = self._mark_of(floor)
        self._floor = floor
        self._seen = {sequence for sequence in self._seen if sequence > floor}
        self._last, self._total = max(self._seen, default=floor), sum(self._seen)

    def _note(self, revocation: Revocation, sent_at: float) -> None:
        self._seen.add(revocation.sequence)
        self._last = max(self._last, revocation.sequence)
        self._total += revocation.sequence
        # Count from when the read was sent, which is never before the revocation was made.
        until = sent_at + (revocation.purge_at - revocation.at).total_seconds()
        # Equal times share one float object, because a million of them would take 24 MB.
        if until != self._until:
            self._until = until
        until = self._until
        if revocation.kind is RevocationKind.SESSION:
            self._revoked.end_session(revocation.subject, until)
            self._index.put(revocation.subject, revocation.sequence)
        elif revocation.kind is RevocationKind.ACCOUNT and revocation.not_before is not None:
            # `iat` has whole seconds. Tokens issued in the second of the revocation are spared, because one may belong
            # to a sign-in right after it. Sessions opened before it in that second are also revoked by their ids.
            self._revoked.end_account(revocation.subject, int(revocation.not_before.timestamp()), until)
            self._index.put(revocation.subject, revocation.sequence)
