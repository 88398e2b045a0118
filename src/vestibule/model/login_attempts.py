"""Login attempts: how many wrong passwords in a row an account allows, and how long each makes the next one wait.

Known devices of an account have attempt counters of their own; all other devices share one counter. So a stranger who
knows the email cannot keep the owner out (docs/decisions/0015-login-attempts.md and 0029-known-devices.md). An email
without an account has a counter as well: otherwise the limit would tell which emails have an account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from vestibule.model.accounts import Account

PLACES = 10
"""How many counters an account's known devices share. A fixed number, so that the limit for all of them together does
not grow with the number of devices. Place n is counter n.
"""
_SIGNED_IN = 0  # the place of a signed-in caller whose device is not known: a program without cookies, or a thief
_TRIES_OF_A_DEVICE = 5
_A_PAUSE = timedelta(days=1)


@dataclass(frozen=True)
class LoginAttemptLimits:
    """At most `at_most` wrong passwords in a row from all known devices together, and as many from all others. Twice
    fifty is the hundred that SP 800-63B-4, 3.2.2 allows an account. After `free` wrong ones, each further one makes the
    next attempt wait, twice as long every time.

    After `waits_restart_after` without an attempt, the counter of an email without an account is deleted, so its waits
    start again. The waits of an account must restart too, or the difference would tell which emails have one. The
    account's total of wrong passwords in a row does not restart, unless `total_restarts`.
    """

    at_most: int = 50
    free: int = 20
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=15)
    waits_restart_after: timedelta | None = timedelta(days=30)
    total_restarts: bool = False

    @property
    def places(self) -> int:
        """Return how many counters the known devices share: few enough that each has at least a few attempts."""
        return min(PLACES, max(1, self.at_most // _TRIES_OF_A_DEVICE))

    @property
    def of_a_device(self) -> "LoginAttemptLimits":
        """Return the limits of one known device's counter. It allows so few attempts that none has to wait."""
        each = self.at_most // self.places
        return replace(self, at_most=each, free=each, waits_restart_after=None)

    def of(self, counter: "AttemptCounter") -> "LoginAttemptLimits":
        """Return the limits of a counter."""
        return self.of_a_device if counter.of_a_device else self

    def wait_after(self, failures: int) -> timedelta:
        """Return how long the next attempt has to wait after this many wrong passwords."""
        if failures < self.free:
            return timedelta(0)
        doublings: int = min(failures - self.free, 20)  # beyond `longest_wait`; bounded, so that nothing overflows
        return min(self.first_wait * (1 << doublings), self.longest_wait)

    def paused_after(self, failures: int) -> bool:
        """Return whether nothing is checked after this many wrong passwords: for a day, or until a reset."""
        return failures >= self.at_most or self.wait_after(failures) >= _A_PAUSE


@dataclass(frozen=True)
class AttemptCounter:
    """A counter of wrong passwords, by its key. `account_id` is None if the email has no account. `of_a_device`: it is
    for known devices; without it, for all others.
    """

    key: str
    account_id: str | None
    of_a_device: bool = False

    @classmethod
    def of_others(cls, account: Account | None, email: str) -> "AttemptCounter":
        """Return the counter of devices that are not known. Its key is made from the email, so that it stays the same
        when the email gets an account: a new counter would tell that there was none before.
        """
        return cls(others_key(email), account.id if account else None)

    @classmethod
    def of_device(cls, account_id: str, place: int, limits: LoginAttemptLimits) -> "AttemptCounter":
        """Return the counter of a known device of an account."""
        number, highest = _SIGNED_IN, limits.places - 1
        if highest and place != _SIGNED_IN:
            number = (place - 1) % highest + 1  # 1 to `highest`: low limits leave fewer counters than places
        return cls(f"familiar:{account_id}:{number}", account_id, of_a_device=True)


def others_key(email: str) -> str:
    """Return the key of the counter of devices that are not known, at a canonical email."""
    return f"others:{sha256(email.encode()).hexdigest()}"


def counters_of_attempts(
    account: Account | None, email: str, place: int | None, limits: LoginAttemptLimits
) -> tuple[AttemptCounter, ...]:
    """Return the counters for an attempt, in order: that of a known device, then that of all others. The first one that
    has attempts left counts it.
    """
    others = AttemptCounter.of_others(account, email)
    if account is None or place is None:
        return (others,)
    return AttemptCounter.of_device(account.id, place, limits), others


def emptiest_place(devices: Mapping[int, int]) -> int:
    """Return the place with the fewest devices, for a new device of an account. `devices`: their number by place."""
    return min(range(1, PLACES), key=lambda place: devices.get(place, 0))


@dataclass(frozen=True)
class AttemptCount:
    """The number of wrong passwords in a row, the last of them at `last_at`. `failures` makes the next one wait, and
    restarts with the waits; `total` is limited, and restarts by a reset alone.
    """

    failures: int
    last_at: datetime
    total: int

    def wait(self, limits: LoginAttemptLimits, now: datetime) -> timedelta | None:
        """Return how long until the next attempt is checked; None if none is until the counter is reset."""
        if self.failures >= limits.at_most:
            return None
        return max(self.last_at + limits.wait_after(self.failures) - now, timedelta(0))


@dataclass(frozen=True)
class LoginAttempt:
    """An attempt at a password, counted before the password is checked.

    Of `counters`, the last one counted the attempt; those before it had no attempts left. `number` says which attempt
    in a row it was for that counter, `at` when it was counted. If no counter had any left, the attempt is `spent`: it
    was not counted, and the password is not checked.
    """

    counters: Sequence[AttemptCounter]
    number: int = 0
    spent: bool = False
    at: datetime | None = None

    @property
    def counter(self) -> AttemptCounter:
        """Return the counter that counted the attempt."""
        return self.counters[-1]

    @property
    def keys(self) -> list[str]:
        """Return the keys of the counters that a right password resets: all that were tried."""
        return [counter.key for counter in self.counters]

    def within_limit(self, limits: LoginAttemptLimits) -> bool:
        """Return whether a right password is accepted."""
        return not self.spent and self.number <= limits.of(self.counter).at_most

    def pauses(self, limits: LoginAttemptLimits) -> bool:
        """Return whether no attempt is left now for devices that are not known: for a day, or until a reset."""
        return self.spent or (not self.counter.of_a_device and limits.paused_after(self.number))


class LoginAttempts(Protocol):
    """The attempt counters."""

    async def take(self, counter: AttemptCounter, limits: LoginAttemptLimits, now: datetime) -> int | None:
        """Count one more attempt, before it is checked; return its number. Return None, and count nothing, if the
        counter has no attempts left or the last one was too recent. Exact under any race.
        """

    async def give_back(self, counter: AttemptCounter, limits: LoginAttemptLimits, at: datetime) -> None:
        """Take back the attempt that was counted at `at`, because it was not checked or was right. If no other was
        counted since, the next one waits no longer than this one had to: the time of the counter's last attempt becomes
        the latest at which the attempt before this one can have been.
        """

    async def count(self, counter: AttemptCounter) -> AttemptCount | None:
        """Return what has been counted; None if nothing."""

    async def reset(self, keys: Sequence[str]) -> None:
        """Reset the counters with these keys, after a right password."""

    async def reset_all(self, account_id: str, email: str) -> int:
        """Reset every counter for the password of an account and of its email, because it has another password or
        owner, or an operator unlocks it. Return their number.
        """

    async def reset_second_factor(self, account_id: str) -> int:
        """Reset every counter for the second factors of an account, because they are gone, or an operator unlocks it.
        Return their number.
        """

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` counters that concern no account and were not touched since `before`; return their
        number.
        """
