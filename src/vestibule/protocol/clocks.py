"""Compare this machine's wall clock with another's, by way of a monotonic clock."""

MAX_APART_SECONDS = 60.0
"""How far apart the clocks may be. Beyond that, nobody can tell whether a token has expired."""


class Clocks:
    """The wall clock here and another one. Offsets are seconds from this machine's monotonic clock to a wall clock."""

    def __init__(self) -> None:
        self._their_offset: float | None = None

    def learn(self, their_offset: float) -> None:
        """Note the other clock's offset, in seconds."""
        self._their_offset = their_offset

    def apart(self, now: float, monotonic: float) -> float:
        """Return by how many seconds this wall clock is ahead of the other; 0 until the other is known."""
        return 0.0 if self._their_offset is None else now - monotonic - self._their_offset

    def agree(self, now: float, monotonic: float) -> bool:
        """Return whether they are near enough. Compare on every check: either clock may be set at any moment."""
        return abs(self.apart(now, monotonic)) <= MAX_APART_SECONDS
