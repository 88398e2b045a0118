"""The store: opens transactions. A flow that opens one gets `Ports`, one port for each noun; their methods are atomic
steps.

No method reads a row for Python to decide about and write back. If a second request could come in between, the SQL
statement itself decides (`open`, `rotate`, `consume`, `claim`). Measured on PostgreSQL with sixteen concurrent uses of
one refresh token: a check in Python lets fifteen through, a condition in the UPDATE only one.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from vestibule.model.account_search import AccountSearch
from vestibule.model.accounts import Accounts
from vestibule.model.custom_roles import CustomRoles
from vestibule.model.devices import KnownDevices
from vestibule.model.endings import Endings
from vestibule.model.event_search import EventSearch
from vestibule.model.events import Events
from vestibule.model.factor_resets import FactorResets
from vestibule.model.factors import Factors
from vestibule.model.limits import RateCounters
from vestibule.model.login_attempts import LoginAttempts
from vestibule.model.one_time_tokens import OneTimeTokens
from vestibule.model.outbox import Letters
from vestibule.model.passkeys import Ceremonies, Passkeys
from vestibule.model.pending_sign_ins import PendingSignIns
from vestibule.model.recovery_codes import RecoveryCodes
from vestibule.model.revocations import Revocations
from vestibule.model.service_keys import ServiceKeys
from vestibule.model.sessions import Sessions
from vestibule.model.signing_keys import SigningKeys
from vestibule.model.totp import Totps


@dataclass(frozen=True)
class Ports:
    """The ports of all nouns, on one database connection. Not usable after the `async with` block that opened them."""

    accounts: Accounts
    account_search: AccountSearch
    event_search: EventSearch
    sessions: Sessions
    endings: Endings
    one_time_tokens: OneTimeTokens
    letters: Letters
    known_devices: KnownDevices
    rate_counters: RateCounters
    login_attempts: LoginAttempts
    revocations: Revocations
    events: Events
    signing_keys: SigningKeys
    service_keys: ServiceKeys
    custom_roles: CustomRoles
    passkeys: Passkeys
    ceremonies: Ceremonies
    factors: Factors
    factor_resets: FactorResets
    totps: Totps
    recovery_codes: RecoveryCodes
    pending_sign_ins: PendingSignIns


class Store(Protocol):
    """The database. What a transaction has committed survives a crash."""

    @property
    def event_counts(self) -> Mapping[str, int]:
        """Return how many events of each kind this process has committed."""

    @property
    def connections_in_use(self) -> int:
        """Return how many connections are in use at this moment."""

    @property
    def connections_limit(self) -> int:
        """Return how many connections there may be."""

    def transaction(self) -> AbstractAsyncContextManager[Ports]:
        """Open a transaction that commits when the block ends and rolls back when it raises. Raises `StoreUnavailable`.

        A flow decides inside the block and raises its refusal after it: a refusal often has to be recorded.
        """

    def steps(self) -> AbstractAsyncContextManager[Ports]:
        """Open the same ports so that each method is a transaction by itself, without the cost of beginning and ending
        one. For a block of one method, or of several that may each happen without the next: what the block has done may
        stay although it raises. Raises `StoreUnavailable`.

        SQLite, and PostgreSQL behind a pooler, run the block as one transaction.
        """

    def reading(self) -> AbstractAsyncContextManager[Ports]:
        """Open the same ports for reading, each statement by itself and not in one transaction. Raises
        `StoreUnavailable`.
        """

    async def schema_fits(self) -> bool:
        """Return whether the database has the schema that this version needs. Raises `StoreUnavailable`."""

    async def ping(self) -> None:
        """Send the database an empty statement. Raises `StoreUnavailable` if it does not answer."""
