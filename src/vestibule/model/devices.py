"""Devices: the secret by which a browser is recognised; and a device described in words of our own, for letters.

Letters never contain a User-Agent as it was sent: an attacker could write it, and so write text into our letters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

# What a User-Agent contains, and our name for it. The first match wins: Edge also calls itself Chrome, and everything
# calls itself Safari.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("okhttp/", "Android app"),
    ("CFNetwork/", "iOS app"),
    ("python-", "Python"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
_TAG_CHARACTERS = 16
DEVICES_OF_ACCOUNT = 100
"""How many devices an account knows at most. When one more is added, the one unseen for longest is deleted."""
MOST_DELETED_AT_ONCE = 500
"""How many devices one sign-in deletes at most. An account from before `DEVICES_OF_ACCOUNT` may have far more."""


@dataclass(frozen=True)
class DeviceSecret:
    """A browser's secret, by which it is recognised at the next sign-in to the account. It is no credential."""

    account_id: str
    secret: str

    @property
    def tag(self) -> str:
        """Return the tag under which the browser keeps the secret."""
        return device_tag(self.account_id)


def device_tag(account_id: str) -> str:
    """Return the tag under which a browser keeps the secret for an account. The tag does not reveal the account's
    id.
    """
    return sha256(f"device:{account_id}".encode()).hexdigest()[:_TAG_CHARACTERS]


def describe(user_agent: str) -> str:
    """Return the program and the system that a User-Agent names, as in `Firefox, Windows`; empty if neither is
    recognised.
    """
    found = (_first_named(_PROGRAMS, user_agent), _first_named(_SYSTEMS, user_agent))
    return ", ".join(name for name in found if name)


def _first_named(names: Sequence[tuple[str, str]], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")


class KnownDevices(Protocol):
    """Which browsers have signed in to an account before. Each browser has a secret in a cookie; the digest of the
    secret is stored here.

    A device's place is the number of the attempt counter that limits wrong passwords from that device. Several devices
    may share a place.
    """

    async def seen(self, account_id: str, digest: str, now: datetime) -> bool:
        """Note that a known device signed in; return False if it is not known."""

    async def place(self, account_id: str, digests: Sequence[str]) -> int | None:
        """Return the place of the account's device that has one of these digests; None if none has."""

    async def places(self, account_id: str) -> Mapping[int, int]:
        """Return how many of the account's devices each place has; empty if it knows none. If there are far more than
        `DEVICES_OF_ACCOUNT`, only some are counted.
        """

    async def delete_longest_unseen(self, account_id: str, number: int) -> None:
        """Delete this number of the account's devices, the longest unseen first."""

    async def add(self, account_id: str, digest: str, now: datetime, place: int) -> None:
        """Add this device to those the account knows."""

    async def delete_of(self, account_id: str) -> None:
        """Delete all known devices of the account."""

    async def purge_unseen(self, before: datetime, most: int) -> int:
        """Delete up to `most` devices not seen since `before`; return their number. The last seen device of each
        account stays: without any, the next device would count as the first, and the owner would not be told of it.
        """
