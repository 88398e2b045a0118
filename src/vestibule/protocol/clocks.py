"""Two wall clocks, compared by way of those that nobody sets: whether one can judge what the other has dated."""

MAX_APART_SECONDS = 60.0
"""How far apart they may be. Beyond, nobody can tell whether a token has expired, nor how long a revocation matters."""


class Clocks:
    """The wall clock here, and another's as far as it was told. Offsets are seconds from the clock of this machine
    that nobody sets to a wall clock.
    """

    def __init__(self) -> None:
        self._their_offset: float | None = None

    def learn(self, their_offset: float) -> None:
        """What the other clock shows."""
        self._their_offset = their_offset

    def apart(self, now: float, monotonic: float) -> float:
        """Seconds by which this wall clock is ahead of the other; nothing as long as nothing was told."""
        return 0.0 if self._their_offset is None else now - monotonic - self._their_offset

    def agree(self, now: float, monotonic: float) -> bool:
        """Whether they are near enough. Compared on every check: either may be set at any moment."""
        return abs(self.apart(now, monotonic)) <= MAX_APART_SECONDS
