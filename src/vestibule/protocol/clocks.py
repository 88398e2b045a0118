"""Compare this machine's wall clock with another machine's, by way of this machine's monotonic clock."""

MAX_APART_SECONDS = 60.0
"""How far apart the clocks may be. Beyond that, nobody can tell whether a token has expired."""


class Clocks:
    """Two wall clocks, one of them here. An offset is a wall clock's time minus this machine's monotonic time,
    in seconds.
    """

    def __init__(self) -> None:
        self._their_offset: float | None = None

    def note_offset(self, their_offset: float) -> None:
        """Remember the other clock's offset, in seconds."""
        self._their_offset = their_offset

    def apart(self, now: float, monotonic: float) -> float:
        """Return by how many seconds this wall clock is ahead of the other; 0 until the other is known."""
        return 0.0 if self._their_offset is None else now - monotonic - self._their_offset

    def their_time(self, moment: float, now: float, monotonic: float) -> float:
        """Return what the other wall clock shows at `moment` of our monotonic clock. Until the other clock is
        known, it is taken to agree with ours.
        """
        our_time = moment + now - monotonic
        return our_time - self.apart(now, monotonic)

    def agree(self, now: float, monotonic: float) -> bool:
        """Return whether the clocks agree within `MAX_APART_SECONDS`. Ask at every check: either clock may be set at
        any time.
        """
        return abs(self.apart(now, monotonic)) <= MAX_APART_SECONDS
