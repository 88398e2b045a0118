"""Endings: what is written when a session ends, and the step that ends one session and writes all of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from vestibule.model.events import Event, EventKind
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.model.sessions import EndReason


@dataclass(frozen=True)
class Ending:
    """Why and when sessions of an account end. A revocation is kept for `memory`: longer than its tokens live."""

    account_id: str
    reason: EndReason
    at: datetime
    memory: timedelta
    actor_id: str | None = None
    """The account of the operator who acted as somebody else in these sessions; None if nobody did."""

    def event(self, session_id: str | None, detail: Mapping[str, str] | None = None) -> Event:
        """Return the event of a session's end; of several sessions at once if `session_id` is None."""
        all_detail = {"reason": self.reason.value, **(detail or {})}
        return Event(
            self.at, EventKind.SESSION_ENDED, self.account_id, session_id, detail=all_detail, actor_id=self.actor_id
        )

    def revocation(self, session_id: str, issued_at: datetime) -> Revocation:
        """Return the revocation of a session whose last token was issued at `issued_at`. The revocation is kept until
        that token has expired, counted from the end of the session, or from `issued_at` if a clock was ahead then.
        """
        return Revocation(self.at, RevocationKind.SESSION, session_id, max(self.at, issued_at) + self.memory)


class Endings(Protocol):
    """The end of one session, with everything that is written about it."""

    async def end(self, session_id: str, ending: Ending) -> list[Revocation]:
        """Lock the account, end one live session of it, record the event and the revocation, and return the revocation.
        If the session is over or is another account's, or if an operator has begun to act as somebody else in it, only
        lock, and return an empty list.

        Writes the same rows as `Sessions.end`, `Events.record` and `Revocations.append` one after the other, and may be
        called in `Store.steps`.
        """
