"""Limits: how often something may be done, so that nobody floods a mailbox or tries passwords without end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import Protocol


@dataclass(frozen=True)
class Limit:
    """At most `times` `within` a period that begins with the first of them. `name` keeps limits apart."""

    name: str
    times: int
    within: timedelta


@dataclass(frozen=True)
class Spacing:
    """How far apart letters of one kind to one email are: the first few by `gap`, which is within the life of the link
    in each; then an hour, two, and at last three. Counted anew a day after the last one.

    A person who asks meanwhile has a link that works: one in a letter lives until another letter may be asked for. So
    nobody who keeps asking for somebody else's letters leaves the owner without one.
    """

    name: str
    at_once: int
    gap: timedelta
    then: timedelta = timedelta(hours=1)
    longest: timedelta = timedelta(hours=3)
    counted: timedelta = timedelta(days=1)

    def after(self, letters: int) -> timedelta:
        """Return how long after the last of this many letters the next may be asked for."""
        if letters < self.at_once:
            return self.gap
        return min(self.then * (letters - self.at_once + 1), self.longest)


@dataclass(frozen=True)
class LetterLimits:
    """How many letters strangers may ask for: to one email, of each kind; to all unverified sub-addresses of one
    mailbox together; and from one network, in all.
    """

    to_email: Spacing
    to_mailbox: Limit
    for_network: Limit

    @classmethod
    def per_hour(cls, email: int, network: int, gap: timedelta = timedelta(0)) -> "LetterLimits":
        """Return limits of `email` letters in an hour to one email, and `network` from one network; within a day, four
        times `email` to one mailbox.
        """
        to_mailbox = Limit("letters_mailbox", 4 * email, timedelta(days=1))
        return cls(Spacing("letter", email, gap), to_mailbox, Limit("letters_network", network, timedelta(hours=1)))


class RateClass(StrEnum):
    """What is limited for each network; each line of the URL map names one of them, or none."""

    SIGN_IN = "sign_in"
    REGISTER = "register"
    MAIL = "mail"
    REFRESH = "refresh"
    ACCOUNT = "account"


@dataclass(frozen=True)
class NetworkLimits:
    """How often one network may do each of them in a minute."""

    per_minute: dict[RateClass, int]

    def of(self, counted: RateClass) -> Limit:
        return Limit(f"network_{counted.value}", self.per_minute[counted], timedelta(minutes=1))


class Limiter(Protocol):
    """Counts what each network does. What it counts may be lost, but it never stops counting."""

    @property
    def reached(self) -> Mapping[str, int]:
        """Return how often each limit was met by somebody who had reached it, by its name."""

    async def take(self, limit: Limit, network: str) -> timedelta | None:
        """Count one more; return None, or how long until the next is allowed if the limit is reached. Exact in any
        race.
        """


def usual_form(network_address: str) -> str:
    """Return the address as it is kept, counted and shown, in its shortest form; empty if it is no address.

    An IPv4 address that is written as IPv6 becomes what it is (RFC 4291, section 2.5.5.2).
    """
    try:
        address = ip_address(network_address)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def network_of(network_address: str) -> str:
    """Return the network of one customer of the internet: an IPv4 address, or the /64 of an IPv6 address.

    A host behind IPv6 has a /64 to itself (RFC 7381, section 2.6), so that counting addresses would count nothing.
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


class RateCounters(Protocol):
    """How often something was done lately."""

    async def take(self, limit: Limit, subject: str, now: datetime) -> bool:
        """Count one more for `subject`; return False, and count nothing, if the limit is reached. Exact under
        any race.
        """

    async def give_back(self, limit: Limit, subject: str) -> None:
        """Take back what this transaction has counted."""

    async def space(self, spacing: Spacing, subject: str, now: datetime, *, due: bool = True) -> int | None:
        """Count one more letter; return how many that makes. Return None, and count nothing, if the last one was too
        short a time ago, unless whether it is `due` does not matter. Exact under any race.
        """

    async def clear(self, spacing: Spacing, subject: str) -> None:
        """Drop what was counted."""

    async def purge(self, now: datetime, most: int) -> int:
        """Delete up to `most` counters that are over; return their number."""
