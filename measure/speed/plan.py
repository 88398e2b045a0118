"""How long to measure: the full plan, whose figures the documentation shows, and a short one that tries every step."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Seconds for each round of a measurement, and numbers of repetitions. Rounds of an operation and of its limit
    alternate.
    """

    rounds: int
    reads: float
    hashes: float
    refreshes: float
    limits: float
    others: float
    """Seconds for each operation of each server that is compared."""
    trials: int
    """Sign-outs whose way to another process is timed."""
    starts: int
    idle: float
    """Seconds between the last start and the look at its memory."""
    connections: int
    """Connections kept open while a new one asks."""
    revocations: int
    """Revocations in the record when a process starts."""
    loaded_starts: int
    services: int
    """Rounds of the checks of a service, and its starts."""
    passkeys: int
    """Sign-ins by passkey in each round."""


FULL = Plan(
    rounds=3,
    reads=3.0,
    hashes=6.0,
    refreshes=4.0,
    limits=3.0,
    others=5.0,
    trials=200,
    starts=5,
    idle=3.0,
    connections=1_100,
    revocations=100_000,
    loaded_starts=3,
    services=5,
    passkeys=400,
)
QUICK = Plan(
    rounds=1,
    reads=1.0,
    hashes=2.0,
    refreshes=2.0,
    limits=1.0,
    others=2.0,
    trials=20,
    starts=2,
    idle=1.0,
    connections=200,
    revocations=10_000,
    loaded_starts=1,
    services=2,
    passkeys=60,
)

READERS = 32  # connections that read at once
WRITERS = 16  # connections that sign in, refresh, sign out or register at once
FLOOD = 48  # virtual users who sign in at once, while another one reads; they all fit into the queue for hashing
WARM_UP_SECONDS = 0.5
