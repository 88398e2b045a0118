"""Readiness: whether a process should be sent requests, as far as it knows without asking anybody."""

from enum import StrEnum


class Hindrance(StrEnum):
    """Why not."""

    DRAINING = "draining"
    OTHER_SCHEMA = "other_schema"
    DATABASE_AWAY = "database_away"


class Readiness:
    """What was noted lately. Asking costs no I/O, so that nobody can make the server work by asking."""

    def __init__(self) -> None:
        self.draining = False
        self.schema_fits = True

    def hindrances(self, revocations_trusted: bool) -> list[Hindrance]:
        """None of them: ready. A process that could not read the record of revocations for too long cannot reach its
        database.
        """
        hindered = {
            Hindrance.DRAINING: self.draining,
            Hindrance.OTHER_SCHEMA: not self.schema_fits,
            Hindrance.DATABASE_AWAY: not revocations_trusted,
        }
        return [hindrance for hindrance, there in hindered.items() if there]
