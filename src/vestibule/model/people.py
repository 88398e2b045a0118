"""People: what an operator sees of an account, without anything secret."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vestibule.model.accounts import Account
from vestibule.model.events import Event, EventKind
from vestibule.model.factor_resets import FactorReset
from vestibule.model.factors import FactorKind
from vestibule.model.letters import LetterKind
from vestibule.model.pauses import Pause
from vestibule.model.sessions import Session


@dataclass(frozen=True)
class ListedFactor:
    """A second factor. Only passkeys have a name."""

    kind: FactorKind
    name: str | None
    added_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class FactorList:
    """The factors of an account, how many recovery codes are unused, and the reset that is under way, if any.
    `unreadable`: how many factors have malformed rows; they are not listed, and a sign-in needs them all the same.
    `paused`: what is not checked now, because too many were wrong.
    """

    factors: Sequence[ListedFactor]
    unreadable: int
    recovery_codes_left: int
    reset: FactorReset | None = None
    paused: Sequence[Pause] = ()

    @property
    def needed(self) -> bool:
        """Return whether a sign-in asks for one of them."""
        return bool(self.factors) or self.unreadable > 0


class LetterFate(StrEnum):
    """What became of a letter: it waits for its first attempt, or for another one (`DELAYED`); the mail server refused
    it for good, or took it (`SENT`); or it was withdrawn before it was sent, because its link was void.
    """

    WAITING = "waiting"
    DELAYED = "delayed"
    REFUSED = "refused"
    SENT = "sent"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class LetterRecord:
    """A letter of an account. `at` is when it was settled, or when it is tried next. `fault` is what the mail server
    said, if it did not take the letter.
    """

    id: str
    kind: LetterKind
    queued_at: datetime
    fate: LetterFate
    at: datetime
    fault: str | None = None


@dataclass(frozen=True)
class Person:
    """An account with its factors, and its latest letters, sessions and events, the newest first. `must_verify`: a
    verified email is mandatory here. `live` has the latest sessions that are live, and `past` the latest that are over;
    `live_sessions` is a number: how many are live in all.
    """

    account: Account
    must_verify: bool
    factors: FactorList
    letters: Sequence[LetterRecord] = ()
    live: Sequence[Session] = ()
    live_sessions: int = 0
    past: Sequence[Session] = ()
    events: Sequence[Event] = ()

    @property
    def invitation(self) -> LetterRecord | None:
        """Return the last invitation, if it was not accepted yet, and the account not taken into use by another way."""
        if self.account.verified or self.account.first_used_at is not None:
            return None
        return next((letter for letter in self.letters if letter.kind is LetterKind.INVITATION), None)

    def networks_of(self, kind: EventKind) -> Mapping[str, int]:
        """Return how many events of this kind came lately from each network address, the most first."""
        refused = (event.network_address for event in self.events if event.kind is kind)
        return dict(Counter(filter(None, refused)).most_common())

    def latest(self, *kinds: EventKind) -> datetime | None:
        """Return when one of these happened last, as far as `events` goes back; None if none did."""
        return next((event.at for event in self.events if event.kind in kinds), None)
