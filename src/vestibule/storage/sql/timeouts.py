"""Timeouts of the database."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeouts:
    """How many seconds to wait for the database before calling it unavailable: for a free connection, for a new one,
    for a statement; and for a transaction, which is bounded also because the readers of revocations rely on none being
    longer than their overlap.
    """

    for_connection: float = 1.0
    to_connect: float = 2.0
    for_statement: float = 2.0
    for_transaction: float = 10.0


DEFAULT_TIMEOUTS = Timeouts()
UNHURRIED = Timeouts(for_connection=60.0, to_connect=10.0, for_statement=3600.0)
"""For a command that changes or reads all there is, and may wait for another one: an index of a large table takes
minutes.
"""
