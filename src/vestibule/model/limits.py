"""Limits: how often something may be done, so that nobody can flood a mailbox or try passwords without end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import Protocol

from vestibule.model.clock import MOST_APART


@dataclass(frozen=True)
class Limit:
    """At most `times` in a period of length `within`, which begins with the first. `name` tells limits apart."""

    name: str
    times: int
    within: timedelta


@dataclass(frozen=True)
class Spacing:
    """The least time between letters of one kind to one email: `gap` between the first few, then one hour more each
    time, up to three hours. The count restarts a day after the last letter.

    A reset link works at least until another may be asked for (`flows.compose_letter`). So a stranger who keeps asking
    for letters never leaves the owner without a working link.
    """

    name: str
    first_few: int
    gap: timedelta
    longer: timedelta = timedelta(hours=1)
    longest: timedelta = timedelta(hours=3)
    forgotten_after: timedelta = timedelta(days=1)

    def after(self, letters: int) -> timedelta:
        """Return how long after letter number `letters` the next one may be asked for."""
        if letters < self.first_few:
            return self.gap
        return min(self.longer * (letters - self.first_few + 1), self.longest)


_CODES_A_DAY = 10


@dataclass(frozen=True)
class LetterLimits:
    """How many letters strangers may ask for: of each kind to one email; to all unverified sub-addresses of one mailbox
    together, such as ada+1@ and ada+2@; and of all kinds from one network.
    """

    to_email: Spacing
    to_mailbox: Limit
    for_network: Limit

    @property
    def codes(self) -> Spacing:
        """Return the least time between codes to one email that one network asks for: a few, then one a day. A code
        works only in the browser that asked for it, so each network has a count of its own.
        """
        a_day = timedelta(days=1)
        return replace(self.to_email, name="codes", longer=a_day, longest=a_day)

    @property
    def codes_a_day(self) -> Limit:
        """Return how many codes to one email all networks together may ask for, so that no mailbox is flooded. Five
        attempts at each, even at the end of one day and the beginning of the next, do not use up an account's attempts
        (`model.factor_attempts.EMAIL_CODE_LIMITS`).
        """
        return replace(self.to_mailbox, name="codes_mailbox", times=min(self.to_mailbox.times, _CODES_A_DAY))

    @classmethod
    def per_hour(cls, to_email: int, for_network: int, gap: timedelta = timedelta(0)) -> "LetterLimits":
        """Return the limits for at most `to_email` letters an hour to one email, `gap` apart, and at most `for_network`
        an hour from one network. One mailbox may get four times `to_email` a day.
        """
        to_mailbox = Limit("letters_mailbox", 4 * to_email, timedelta(days=1))
        return cls(
            Spacing("letter", to_email, gap), to_mailbox, Limit("letters_network", for_network, timedelta(hours=1))
        )


class RateClass(StrEnum):
    """The classes of requests that are limited for each network. Each route names one of them, or none."""

    SIGN_IN = "sign_in"
    REGISTER = "register"
    MAIL = "mail"  # asks for a letter
    REFRESH = "refresh"
    ACCOUNT = "account"  # changes or shows one's own account


@dataclass(frozen=True)
class NetworkLimits:
    """How many requests of each class one network may make in a minute."""

    per_minute: dict[RateClass, int]

    def of(self, rate_class: RateClass) -> Limit:
        """Return the limit of one class of requests, for each network."""
        return Limit(f"network_{rate_class.value}", self.per_minute[rate_class], timedelta(minutes=1))


class Limiter(Protocol):
    """Counts the requests of each network, in Redis or memory (`storage/limiter.py`). Counts may be lost, but counting
    never fails.
    """

    @property
    def refusals(self) -> Mapping[str, int]:
        """Return how many requests each limit has refused, by the limit's name."""

    async def count_or_wait(self, limit: Limit, network: str) -> timedelta | None:
        """Count one more request and return None; or, if the limit is reached, return how long the network has to wait.
        Exact under any race.
        """


def canonical_address(network_address: str) -> str:
    """Return the address in its shortest form, as it is stored, counted and shown; empty if it is no address.

    An IPv4 address written as IPv6 becomes IPv4 again (RFC 4291, section 2.5.5.2). A zone (RFC 4007) is dropped: it may
    be any text.
    """
    try:
        address = ip_address(network_address.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def network_of(network_address: str) -> str:
    """Return the network of one customer of an internet provider: an IPv4 address, or the /64 of an IPv6 address.

    One IPv6 customer has a whole /64 (RFC 7381, section 2.6). Counted by address, one customer would have no limit.
    """
    try:
        address = ip_address(network_address)
    except ValueError:
        return network_address
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


def wide_network_of(network_address: str) -> str:
    """Return the largest network that one customer of an internet provider has: an IPv4 address, or the /48 of an IPv6
    address (RFC 6177). Count by it if an attacker gains by having many networks: a /48 has 65,536 of those that
    `network_of` returns.
    """
    try:
        address = ip_address(canonical_address(network_address))
    except ValueError:
        return network_address
    return f"{IPv6Address(int(address) >> 80 << 80)}/48" if isinstance(address, IPv6Address) else str(address)


@dataclass(frozen=True)
class RateCount:
    """What was counted in a period that ends at `ends_at`."""

    count: int
    ends_at: datetime

    def over(self, within: timedelta, now: datetime) -> bool:
        """Return whether the period is over; also if it ends much later than one that begins now, because a clock that
        was ahead began it.
        """
        return not now < self.ends_at <= now + within + 2 * MOST_APART

    def refuses_until(self, what: Limit | Spacing, now: datetime) -> datetime | None:
        """Return when the next one is allowed; None if it is now."""
        if isinstance(what, Limit):
            return None if self.over(what.within, now) or self.count < what.times else self.ends_at
        due = self.last_at(what) + what.after(self.count)
        return None if self.over(what.forgotten_after, now) or due <= now else due

    def last_at(self, what: Limit | Spacing) -> datetime:
        """Return when the last letter was counted, or, for a `Limit`, when the period began."""
        return self.ends_at - (what.within if isinstance(what, Limit) else what.forgotten_after)


Counted = tuple[Limit | Spacing, str]
"""What is counted, and its subject."""


class RateCounters(Protocol):
    """How often something was done recently, in the database. Unlike the counts of `Limiter`, these are never lost."""

    async def take(self, limit: Limit, subject: str, now: datetime) -> bool:
        """Count one more for `subject`; return False, and count nothing, if the limit is reached. Exact under
        any race.
        """

    async def give_back(self, limit: Limit, subject: str) -> None:
        """Undo one `take` of this transaction."""

    async def take_spaced(self, spacing: Spacing, subject: str, now: datetime, *, enforce: bool = True) -> int | None:
        """Count one more letter and return their number. With `enforce`, return None, and count nothing, if the last
        letter was too recent. Exact under any race.
        """

    async def clear(self, limit: Limit | Spacing, subject: str) -> None:
        """Reset the count of `subject`."""

    async def counts(self, counted: Sequence[Counted]) -> Sequence[RateCount | None]:
        """Return what was counted of each of these, in their order; None if nothing."""

    async def purge(self, now: datetime, most: int) -> int:
        """Delete up to `most` counters that are over; return their number."""
