"""`model.store.Store` in SQL: opens transactions, each with all ports on one connection."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from vestibule.model.store import Ports
from vestibule.storage.sql.account_search import SqlAccountSearch
from vestibule.storage.sql.accounts import SqlAccounts
from vestibule.storage.sql.custom_roles import SqlCustomRoles
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.endings import SqlEndings
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.event_search import SqlEventSearch
from vestibule.storage.sql.events import SqlEvents
from vestibule.storage.sql.factor_resets import SqlFactorResets
from vestibule.storage.sql.factors import SqlFactors
from vestibule.storage.sql.known_devices import SqlKnownDevices
from vestibule.storage.sql.letters import SqlLetters
from vestibule.storage.sql.login_attempts import SqlLoginAttempts
from vestibule.storage.sql.one_time_tokens import SqlOneTimeTokens
from vestibule.storage.sql.passkeys import SqlCeremonies, SqlPasskeys
from vestibule.storage.sql.pending_sign_ins import SqlPendingSignIns
from vestibule.storage.sql.rate_counters import SqlRateCounters
from vestibule.storage.sql.recovery_codes import SqlRecoveryCodes
from vestibule.storage.sql.revision import current_revision
from vestibule.storage.sql.revocations import SqlRevocations
from vestibule.storage.sql.schema import REVISION
from vestibule.storage.sql.service_keys import SqlServiceKeys
from vestibule.storage.sql.sessions import SqlSessions
from vestibule.storage.sql.signing_keys import SqlSigningKeys
from vestibule.storage.sql.totps import SqlTotps


class SqlStore:
    """Implements `Store`. `require` raises `StoreUnavailable` while this process may not use the database."""

    def __init__(self, engines: Engines, require: Callable[[], None] = lambda: None) -> None:
        self._engines = engines
        self._require = require
        self.event_counts: Counter[str] = Counter()

    @property
    def connections_in_use(self) -> int:
        return self._engines.connections_in_use

    @property
    def connections_limit(self) -> int:
        return self._engines.connections_limit

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Ports]:
        self._require()
        async with self._changing(self._engines.transaction()) as ports:
            yield ports

    @asynccontextmanager
    async def steps(self) -> AsyncIterator[Ports]:
        self._require()
        async with self._changing(self._engines.single_statements()) as ports:
            yield ports

    @asynccontextmanager
    async def _changing(self, opened: AbstractAsyncContextManager[DriverConnection]) -> AsyncIterator[Ports]:
        """Yield the ports on a connection; log and count their events once the connection's block has ended well."""
        async with opened as connection:
            events = SqlEvents(connection)
            yield _ports(connection, events)
        self.event_counts.update(event.kind.value for event in events.log_recorded())

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Ports]:
        self._require()
        async with self._engines.reading() as connection:
            yield _ports(connection, SqlEvents(connection))

    async def schema_fits(self) -> bool:
        return await current_revision(self._engines) == REVISION

    async def ping(self) -> None:
        async with self._engines.reading() as connection:
            await connection.control("SELECT 1")


def _ports(connection: DriverConnection, events: SqlEvents) -> Ports:
    revocations = SqlRevocations(connection)
    return Ports(
        accounts=SqlAccounts(connection),
        account_search=SqlAccountSearch(connection),
        event_search=SqlEventSearch(connection),
        sessions=SqlSessions(connection),
        endings=SqlEndings(connection, events, revocations),
        one_time_tokens=SqlOneTimeTokens(connection),
        letters=SqlLetters(connection),
        known_devices=SqlKnownDevices(connection),
        rate_counters=SqlRateCounters(connection),
        login_attempts=SqlLoginAttempts(connection),
        revocations=revocations,
        events=events,
        signing_keys=SqlSigningKeys(connection),
        service_keys=SqlServiceKeys(connection),
        custom_roles=SqlCustomRoles(connection),
        passkeys=SqlPasskeys(connection),
        ceremonies=SqlCeremonies(connection),
        factors=SqlFactors(connection),
        factor_resets=SqlFactorResets(connection),
        totps=SqlTotps(connection),
        recovery_codes=SqlRecoveryCodes(connection),
        pending_sign_ins=SqlPendingSignIns(connection),
    )
