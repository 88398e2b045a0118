"""Letters: what Vestibule mails, from the row in the outbox to the message in the post.

A row in the outbox holds no secret and no address. Both are looked up when the letter is sent, so that no
letter goes to yesterday's address, none carries a dead link, and the outbox is worth nothing to a thief.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from vestibule.model.one_time_tokens import Purpose

LEASE = timedelta(seconds=60)
FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(minutes=5)


class LetterKind(StrEnum):
    """What a letter says."""

    VERIFY_ADDRESS = "verify_address"
    RESET_PASSWORD = "reset_password"


TOKEN_IN = {
    LetterKind.VERIFY_ADDRESS: Purpose.VERIFY_ADDRESS,
    LetterKind.RESET_PASSWORD: Purpose.RESET_PASSWORD,
}


@dataclass(frozen=True)
class QueuedLetter:
    """A letter in the outbox. `attempts` counts the claims, the present one included."""

    id: str
    kind: LetterKind
    account_id: str
    created_at: datetime
    attempts: int = 0


@dataclass(frozen=True)
class Letter:
    """A letter ready to be rendered and sent. `id` stays the same through every attempt at sending it."""

    id: str
    kind: LetterKind
    to: str
    name: str
    link: str


class Post(Protocol):
    """What carries letters away."""

    async def send(self, letter: Letter) -> None:
        """Hand `letter` over; returns when somebody else has taken the responsibility, raises `NotSent`."""


class NotSent(Exception):
    """The letter could not be handed over. It stays in the outbox and is tried again."""


def retry_after(attempts: int) -> timedelta:
    """How long to wait after the attempt of this number failed: doubling, from a second to five minutes."""
    doublings: int = min(attempts - 1, 16)
    return min(FIRST_RETRY * (1 << doublings), LAST_RETRY)
