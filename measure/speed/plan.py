"""How long to measure: the full form, which the documentation shows, and a short one to look whether all is well."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Seconds for each round of a measurement, and how often. Rounds of a thing and of its limit alternate."""

    rounds: int
    reads: float
    hashes: float
    refreshes: float
    limits: float
    others: float
    """For each operation of each server that stands beside ours, and of ours beside them."""
    trials: int
    starts: int
    idle: float
    connections: int
    """Kept open, while a new one asks."""
    revocations: int
    """In the record when a process starts."""
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
FLOOD = 48  # virtual users who sign in at once, while one looks; they all fit into the queue
WARM_UP_SECONDS = 0.5
