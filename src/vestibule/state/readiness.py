"""Readiness: whether a process should be sent requests, as far as it knows without I/O."""

from enum import StrEnum

from vestibule.model.errors import StoreUnavailable


class Hindrance(StrEnum):
    """A reason why a process is not ready."""

    DRAINING = "draining"
    OTHER_SCHEMA = "other_schema"
    DATABASE_AWAY = "database_away"
    CLOCK_DIFFERS = "clock_differs"


class Readiness:
    """The results of the latest checks. Reading them does no I/O, so that health requests cost nothing."""

    def __init__(self) -> None:
        self.draining = False
        self.schema_fits = True
        self.clock_agrees = True

    def hindrances(self, revocations_trusted: bool) -> list[Hindrance]:
        """Return why the process is not ready; an empty list if it is. `revocations_trusted` is False if the database
        has been unreachable for too long.
        """
        applies = {
            Hindrance.DRAINING: self.draining,
            Hindrance.OTHER_SCHEMA: not self.schema_fits,
            Hindrance.CLOCK_DIFFERS: not self.clock_agrees,
            # While the clock differs, revocations are not read, and so not trusted, although the database answers.
            Hindrance.DATABASE_AWAY: self.clock_agrees and not revocations_trusted,
        }
        return [hindrance for hindrance in Hindrance if applies[hindrance]]

    def require_clock(self) -> None:
        """Raise `StoreUnavailable` while this machine's clock differs from the database's: times read and written would
        be wrong.
        """
        if not self.clock_agrees:
            raise StoreUnavailable("this machine's clock and the database's differ; let both keep time")
