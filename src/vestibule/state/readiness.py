"""Readiness: whether a process should be sent requests, as far as it knows without asking anybody."""

from enum import StrEnum

from vestibule.model.errors import StoreUnavailable


class Hindrance(StrEnum):
    """Why not."""

    DRAINING = "draining"
    OTHER_SCHEMA = "other_schema"
    DATABASE_AWAY = "database_away"
    CLOCK_DIFFERS = "clock_differs"


class Readiness:
    """What was noted lately. Asking costs no I/O, so that nobody can make the server work by asking."""

    def __init__(self) -> None:
        self.draining = False
        self.schema_fits = True
        self.clock_agrees = True

    def hindrances(self, revocations_trusted: bool) -> list[Hindrance]:
        """None of them: ready. A process that could not read the record of revocations for too long cannot reach its
        database.
        """
        hindered = {
            Hindrance.DRAINING: self.draining,
            Hindrance.OTHER_SCHEMA: not self.schema_fits,
            Hindrance.CLOCK_DIFFERS: not self.clock_agrees,
            Hindrance.DATABASE_AWAY: self.clock_agrees and not revocations_trusted,
        }
        return [hindrance for hindrance, there in hindered.items() if there]

    def require_clock(self) -> None:
        """Raises `StoreUnavailable` while this process's clock is not that of its database: what it read and wrote by
        it would be right for nobody.
        """
        if not self.clock_agrees:
            raise StoreUnavailable("this machine's clock and the database's differ; let both keep time")
