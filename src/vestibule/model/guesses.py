"""Guesses: how many wrong passwords in a row an account stands, and how long each makes the next one wait.

Devices that have signed in to the account before have a budget of their own, so that nobody who merely knows an
address can keep its owner out (docs/decisions/0015-guesses.md). An address without an account has budgets as well:
else the limit would tell which addresses have one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from vestibule.model.accounts import Account


@dataclass(frozen=True)
class GuessLimits:
    """At most so many wrong passwords in a row in each of the two budgets; after `free` of them each makes the next
    one wait, twice as long every time. Fifty in each keeps the account within a hundred (SP 800-63B-4, 3.2.2).
    """

    at_most: int = 50
    free: int = 20
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=15)

    def wait_after(self, failures: int) -> timedelta:
        """How long after the last of so many wrong passwords the next is looked at."""
        if failures < self.free:
            return timedelta(0)
        return min(self.first_wait * int(2 ** min(failures - self.free, 20)), self.longest_wait)


@dataclass(frozen=True)
class Budget:
    """Whose wrong passwords are counted together. `account_id` is None where there is no account."""

    key: str
    account_id: str | None

    @classmethod
    def of(cls, account: Account | None, address: str, *, familiar: bool) -> "Budget":
        """The budget of familiar devices, or that of all others. Of an unknown address only a digest is kept."""
        whose = account.id if account else sha256(address.encode()).hexdigest()
        return cls(f"{'familiar' if familiar else 'others'}:{whose}", account.id if account else None)


@dataclass(frozen=True)
class GuessCount:
    """So many wrong passwords in a row, the last of them at `last_at`."""

    failures: int
    last_at: datetime

    def wait(self, limits: GuessLimits, now: datetime) -> timedelta | None:
        """How long until the next one is looked at; None if that is never, until the password is reset."""
        if self.failures >= limits.at_most:
            return None
        return max(self.last_at + limits.wait_after(self.failures) - now, timedelta(0))
