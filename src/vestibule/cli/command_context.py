"""What the commands need of the world, handed in by `wiring`, so that no command knows where things are kept."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from vestibule.flows.env import Env
from vestibule.flows.import_accounts import Claims
from vestibule.model.findings import Finding
from vestibule.model.imports import ForeignRow
from vestibule.model.signing_keys import SealedKey
from vestibule.settings.fields import Settings
from vestibule.state.key_ring import KeyRing


class Legacy(Protocol):
    """Accounts elsewhere, to be imported."""

    @property
    def claims(self) -> Claims:
        """Who of them came first with an email."""

    async def count(self) -> int:
        """How many there are."""

    def batches(self) -> AsyncIterator[Sequence[ForeignRow]]:
        """All of them, some at a time, whoever has a better claim to an email first."""


class DatabaseCopy(Protocol):
    """Everything in one database, to be carried to another."""

    async def count(self) -> int:
        """How many rows there are to carry."""

    async def carry(self, progress: Callable[[int], None]) -> dict[str, int]:
        """How many rows of each table were carried. `progress` is told of each batch."""


class CommandContext(Protocol):
    """One command's access to everything."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""

    def settings_for(self, *looks: Callable[[Settings], object]) -> Settings:
        """The same, once nobody of those who look at them raises `WrongSettings`; told with all else that is wrong."""

    def opened(self, *, first_start: bool = False) -> AbstractAsyncContextManager[Env]:
        """Everything a process needs, for as long as the block lasts. `first_start`: makes what is not there yet."""

    def given_keys(self) -> KeyRing | None:
        """The signing keys in the settings, if they are there."""

    async def stored_keys(self) -> list[SealedKey]:
        """The signing keys in the database, as they lie there, newest first. Looks only: nothing is made."""

    async def examine(self, url: str | None) -> list[Finding]:
        """What is well and what is not: here, or with the server at `url` as its visitors see it."""

    def weaknesses(self) -> list[Finding]:
        """What of the settings alone weakens the server, and may not have been meant to."""

    async def migrate(self) -> tuple[str | None, str]:
        """Bring the schema up to date; the revision before and after."""

    def legacy(self, address: str) -> AbstractAsyncContextManager[Legacy]:
        """The tutorial's `users` table at a database address."""

    def copying(self, address: str) -> AbstractAsyncContextManager[DatabaseCopy]:
        """From another database of Vestibule's to the one in force."""
