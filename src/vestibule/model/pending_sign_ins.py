"""Pending sign-ins: the first step was right, and the second is still to come. The browser keeps a secret handle."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Protocol

from vestibule.model.limits import network_of

LIFETIME = timedelta(minutes=10)
"""How long after the first step the second may be taken."""
OF_ACCOUNT = 30
"""How many pending sign-ins an account has at most. When one more begins, one of the origin that has the most ends."""
DEVICE = "device:"
"""The prefix of the origins of known devices."""
BEGINNER_CHARACTERS = 36
"""The length of `PendingSignIn.beginner`: the same as that of an id. It has 144 bits of the digest."""
WIDE_CHARACTERS = 23
"""How many characters of an origin name the largest network that one customer has: the eight of `network:`, then the
fifteen of the /48 of an IPv6 address (RFC 6177), or the at most fifteen of an IPv4 address.
"""


def origin_of(place: int | None, network_address: str) -> str:
    """Return where a sign-in comes from: a known device, by its place; or any other, by its network. IPv6 networks are
    written in full, so that the first `WIDE_CHARACTERS` have the /48.
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
        """Return the name under which this sign-in begins an authenticator app: the beginning of the digest. A session
        begins one under its id.
        """
        return self.digest[:BEGINNER_CHARACTERS]


class PendingSignIns(Protocol):
    """The sign-ins that wait for a second step."""

    async def add(self, pending: PendingSignIn) -> bool:
        """Add one, if its account is enabled and still in its epoch; return whether it was added.

        If the account then has more than `OF_ACCOUNT`, keep the one just added, and others in this order: the newest of
        every origin before any second newest; of those, the newest of every customer's network (`WIDE_CHARACTERS`)
        before any second newest; of those, the ones from known devices. End the rest. So a flood from elsewhere does
        not end one that the owner has just begun, however many networks an attacker has from one provider.
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
