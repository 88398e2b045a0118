"""Devices: the secret by which a browser is known again; and words that its owner knows, drawn from a closed list.

What a client says of itself is a stranger's text, and no stranger writes letters in our name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

# The first that is found counts: Edge also calls itself Chrome, and everything calls itself Safari.
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
"""An account knows so many at most; one more, and the longest unseen is a stranger again."""
BEYOND_AT_ONCE = 500
"""Of an account that knows far more, as before there was a bound, so many are deleted at a sign-in."""


@dataclass(frozen=True)
class DeviceSecret:
    """What a browser keeps to be known again when it signs in to an account. It opens nothing."""

    account_id: str
    secret: str

    @property
    def tag(self) -> str:
        return device_tag(self.account_id)


def device_tag(account_id: str) -> str:
    """What the secret for an account is kept under. It tells nothing of the account's id."""
    return sha256(f"device:{account_id}".encode()).hexdigest()[:_TAG_CHARACTERS]


def describe(user_agent: str) -> str:
    """Such as `Firefox, Windows`; empty where nothing is recognised."""
    found = [next((name for mark, name in names if mark in user_agent), "") for names in (_PROGRAMS, _SYSTEMS)]
    return ", ".join(name for name in found if name)


class KnownDevices(Protocol):
    """Which browsers have signed in to an account before. Each keeps a secret in a cookie; here is its digest."""

    async def seen(self, account_id: str, digest: str, now: datetime) -> bool:
        """Note that a known device signed in; False if it is not known."""

    async def place(self, account_id: str, digests: Sequence[str]) -> int | None:
        """The place of the device of the account's that one of them is; None if none is."""

    async def places(self, account_id: str) -> Mapping[int, int]:
        """How many devices of the account there are in each place; empty where it knows none. Of an account that has
        far more than it may, some are counted.
        """

    async def make_room(self, account_id: str, much: int) -> None:
        """Delete so many of the account's devices, the longest unseen first."""

    async def add(self, account_id: str, digest: str, now: datetime, place: int) -> None:
        """Know this device from now on."""

    async def delete_of(self, account_id: str) -> None:
        """Know none of the account's devices any more."""

    async def purge_unseen(self, before: datetime, most: int) -> int:
        """Delete devices not seen since a moment, so many at most; how many. The one that its account was last seen
        with stays: an account without any takes the next for its first, and tells nobody.
        """
