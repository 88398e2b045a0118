"""Define, as protocols, what commands need from outside. `wiring` implements it: no command knows a database."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vestibule.flows.env import Env
from vestibule.flows.import_accounts import FirstByEmail
from vestibule.model.findings import Finding
from vestibule.model.imports import ExportFormat, ForeignRow
from vestibule.model.signing_keys import SealedKey
from vestibule.settings.fields import Settings
from vestibule.state.key_ring import KeyRing


class AccountSource(Protocol):
    """Accounts of another server, to be imported."""

    @property
    def first_by_email(self) -> FirstByEmail:
        """Return the record of which account claimed each email first."""

    async def count(self) -> int:
        """Return how many accounts there are."""

    def batches(self) -> AsyncGenerator[Sequence[ForeignRow], None]:
        """Yield all accounts in batches, ordered so that the account with the best claim to an email comes first."""


@dataclass(frozen=True)
class NamedFile:
    """A file to import, as the command line names it. `verified`: count an email as verified if the file does not say
    whether it is. `hash_config`: the file with the parameters of Firebase's hashes. Without a `format`, the content
    shows it.
    """

    path: Path
    format: ExportFormat | None = None
    verified: bool = False
    hash_config: Path | None = None


class DatabaseCopy(Protocol):
    """Copies everything from one database to another."""

    async def count(self) -> int:
        """Return how many rows there are to copy."""

    async def run(self, progress: Callable[[int], None]) -> dict[str, int]:
        """Copy all rows; return how many by table. `progress` is called with the number of rows of each batch."""


@dataclass(frozen=True)
class Places:
    """Where a server keeps its data, without users and passwords: `database` is `sqlite` or `postgresql`, `database_at`
    the file or `host:port/name`, `redis` `host:port`, or None without Redis. `schema` is the revision of the schema
    that this version of Vestibule works with.
    """

    database: str
    database_at: str
    redis: str | None
    schema: str


class CommandContext(Protocol):
    """What one command works with."""

    @property
    def settings(self) -> Settings:
        """Return the settings in force; raises `WrongSettings`."""

    def settings_checked_by(self, *checks: Callable[[Settings], object]) -> Settings:
        """Return the settings if none of `checks` rejects them; raises `WrongSettings` with a line for each fault."""

    def data_places(self) -> Places:
        """Return where the data is. Opens nothing."""

    def opened(self, *, create_missing: bool = False) -> AbstractAsyncContextManager[Env]:
        """Open everything a process needs, for the block. With `create_missing`, for the start of a server,
        make the secret if there is none yet, and check the domain of passkeys. Raises `WrongSettings`,
        `StoreUnavailable`, or an `OperatorError` about the schema.
        """

    def given_keys(self) -> KeyRing | None:
        """Return the signing keys in the settings, or None."""

    async def stored_keys(self) -> list[SealedKey]:
        """Return the signing keys in the database, newest first and still encrypted. Makes none."""

    def examine(self, url: str | None) -> list[Finding]:
        """Return the doctor's findings: about this machine, or, given `url`, about the server there, as seen from
        outside.
        """

    def log_weaknesses(self) -> None:
        """Log a warning for each setting that weakens the server."""

    async def migrate(self) -> tuple[str | None, str]:
        """Migrate the database; return the revisions before (None for an empty database) and after."""

    def legacy(self, address: str) -> AbstractAsyncContextManager[AccountSource]:
        """Open the tutorial's `users` table at a database URL, for the block; raises `OperatorError` if it cannot be
        read.
        """

    def export_file(
        self, file: NamedFile, progress: Callable[[int, int | None], None]
    ) -> AbstractContextManager[AccountSource]:
        """Read a file that another program exported, for the block. `progress` is called with the number of bytes that
        were read, and the size of the file, None for a pipe. Raises `OperatorError` for a file that cannot be used.
        """

    def copying(self, address: str) -> AbstractAsyncContextManager[DatabaseCopy]:
        """Open two databases for the block, to copy from the one at a URL to the one in the settings. Raises
        `OperatorError`, and `StoreUnavailable` about the database in the settings.
        """
