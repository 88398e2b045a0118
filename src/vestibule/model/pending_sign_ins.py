"""Pending sign-ins: the password was right, and the second step is still to come. Each is known by a secret handle."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Protocol

from vestibule.model.limits import network_of

LIFETIME = timedelta(minutes=10)
"""How long after the password the second step may be taken."""
OF_ACCOUNT = 30
"""How many an account has at most. When one more begins, one ends of whatever origin has begun most."""
DEVICE = "device:"
"""How the origins of known devices begin."""


BEGINNER_CHARACTERS = 36
"""The length of `PendingSignIn.beginner`: 144 bits of the digest, as many characters as an id has."""
WIDE_CHARACTERS = 23
"""The length of the part of an origin that names the largest network that one customer has: all of it, but of an IPv6
one only the /48 (RFC 6177). The longest IPv4 address is as long as that.
"""


def origin_of(place: int | None, network_address: str) -> str:
    """Return where a sign-in comes from: a known device, by its place; or any other, by its network, of which an IPv6
    one has its /48 in the first `WIDE_CHARACTERS`.
    """
    if place is not None:
        return f"{DEVICE}{place}"
    network = network_of(network_address)
    return f"network:{ip_network(network).exploded if ':' in network else network}"


@dataclass(frozen=True)
class PendingSignIn:
    """A sign-in that waits for its second step.

    `digest` is that of the handle. `epoch` is the account's when the password was checked. `methods` were used so far.
    `held_session` ends when the sign-in is complete, and the attempt counters `counter_keys` are reset then. `origin`
    is where the sign-in comes from; None if a version before this one began it.
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
    origin: str | None = None

    @property
    def beginner(self) -> str:
        """Return the name under which it begins an authenticator app, as a session does under its id: no other is
        shown the secret. It is the begin of the digest.
        """
        return self.digest[:BEGINNER_CHARACTERS]


class PendingSignIns(Protocol):
    """The sign-ins that wait for a second step."""

    async def add(self, pending: PendingSignIn) -> bool:
        """Add one, if its account is enabled and still in its epoch; return whether it was added. If the account has
        more than `OF_ACCOUNT`, it keeps this one, and of all others the newest of each origin before the second newest
        of any; then the same by the wide part of their origins; then known devices first. So a flood from elsewhere
        ends none that its owner has just begun, however many networks one customer has.
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
