"""Pending sign-ins: the password was right, and the second step is still to come. Each is known by a secret handle."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

LIFETIME = timedelta(minutes=10)
"""How long after the password the second step may be taken."""
OF_ACCOUNT = 10
"""How many an account has at most. When one more begins, the oldest ends."""


@dataclass(frozen=True)
class PendingSignIn:
    """A sign-in that waits for its second step.

    `digest` is that of the handle. `epoch` is the account's when the password was checked. `methods` were used so far.
    `held_session` ends when the sign-in is complete, and the attempt counters `counter_keys` are reset then.
    """

    digest: str
    account_id: str
    epoch: int
    methods: tuple[str, ...]
    counter_keys: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    held_session: str | None = None
    return_to: str | None = None

    @property
    def beginner(self) -> str:
        """Return the name under which it begins an authenticator app, as a session does under its id: no other is
        shown the secret. 144 bits of the digest, as many characters as an id has.
        """
        return self.digest[:36]


class PendingSignIns(Protocol):
    """The sign-ins that wait for a second step."""

    async def add(self, pending: PendingSignIn) -> bool:
        """Add one, if its account is enabled and still in its epoch; return whether it was added. If the account has
        more than `OF_ACCOUNT`, the oldest are deleted.
        """

    async def find(self, digest: str, now: datetime) -> PendingSignIn | None:
        """Return the one with this digest, if it has not expired and its account is enabled and still in its epoch."""

    async def consume(self, digest: str, now: datetime) -> bool:
        """End the one with this digest, under the conditions of `find`; return False if there is none. Of concurrent
        calls only one returns True.
        """

    async def delete_of(self, account_id: str) -> None:
        """End all of the account."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` that expired before `before`; return their number."""
