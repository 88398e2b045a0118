"""How long `engine.py` waits for the database."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DatabaseTimeouts:
    """How many seconds to wait for the database before it counts as unavailable.

    A revocation may be committed as late as `for_transaction` allows. So `model.revocations.OVERLAP_SECONDS`, for which
    the record of revocations is read again, must be longer.
    """

    for_connection: float = 1.0  # for a free connection of the pool
    to_connect: float = 2.0  # for a new connection to the server
    for_statement: float = 2.0
    for_transaction: float = 10.0


DEFAULT_TIMEOUTS = DatabaseTimeouts()
UNHURRIED = DatabaseTimeouts(for_connection=60.0, to_connect=10.0, for_statement=3600.0)
"""For commands that read or change everything, and may wait for each other: indexing a large table takes minutes."""
