"""What storage must promise: the ports beside the nouns, all in one transaction. Ports are atomic steps, not tables.

There is no port for "read, then decide in Python, then write": wherever a second request could stand between
the two, the decision is part of the statement (`open`, `rotate`, `consume`, `claim`). Measured on PostgreSQL,
sixteen racers spending one refresh token: guarded in Python fifteen of them win, guarded in the UPDATE one.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from vestibule.model.accounts import Accounts
from vestibule.model.devices import KnownDevices
from vestibule.model.events import Events
from vestibule.model.letters import Letters
from vestibule.model.limits import RateCounters
from vestibule.model.login_attempts import LoginAttempts
from vestibule.model.one_time_tokens import OneTimeTokens
from vestibule.model.revocations import Revocations
from vestibule.model.service_keys import ServiceKeys
from vestibule.model.sessions import Sessions
from vestibule.model.signing_keys import SigningKeys


@dataclass(frozen=True)
class Transaction:
    """The ports, inside one transaction. Over when its block is over."""

    accounts: Accounts
    sessions: Sessions
    one_time_tokens: OneTimeTokens
    letters: Letters
    known_devices: KnownDevices
    rate_counters: RateCounters
    login_attempts: LoginAttempts
    revocations: Revocations
    events: Events
    signing_keys: SigningKeys
    service_keys: ServiceKeys


class Store(Protocol):
    """Where the truth lies. What a block committed survives a crash."""

    @property
    def happened(self) -> Mapping[str, int]:
        """Return how many events of each kind this process has committed."""

    @property
    def connections_in_use(self) -> int:
        """Return how many connections are in use at this moment."""

    @property
    def connections_limit(self) -> int:
        """Return how many connections there may be."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that commits when the block ends and rolls back when it raises. Raises `StoreUnavailable`.

        A flow decides inside the block and refuses outside it: a refusal often has something to write.
        """

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Open the same ports for single reads, each statement on its own. Raises `StoreUnavailable`."""

    async def fits(self) -> bool:
        """Return whether the schema is the one that this version works with. Raises `StoreUnavailable`."""

    async def ping(self) -> None:
        """Send the database a statement that asks for nothing. Raises `StoreUnavailable` if it does not answer."""
