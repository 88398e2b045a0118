"""Open files: how many this process may have, and how many of them may be connections of clients."""

import resource

_OF_ITS_OWN = 512
"""For the database, Redis, letters, the log and what libraries open."""


def raise_limit() -> None:
    """Take what the system allows: processes started from this one inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections_within(wanted: int) -> int:
    """How many of the connections that are `wanted` may be open at once, as long as others need files too."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(min(wanted, soft - _OF_ITS_OWN), 1)
