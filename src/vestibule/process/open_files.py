"""Open files: how many this process may have, and how many of them may be client connections."""

import resource

_OF_ITS_OWN = 512
"""Files for the database, Redis, letters, the log and libraries."""


def raise_limit() -> None:
    """Raise the limit to what the system allows; child processes inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections_within(wanted: int) -> int:
    """Return how many of the `wanted` connections may be open, leaving files for the process itself."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(min(wanted, soft - _OF_ITS_OWN), 1)
