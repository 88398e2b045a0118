"""The limit of open files: raise it, and find how many client connections it allows."""

import resource

_RESERVED_FILES = 512
"""Files kept for the database, Redis, letters, the log and libraries."""


def raise_limit() -> None:
    """Raise the limit to what the system allows; child processes inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections_within(wanted: int) -> int:
    """Return how many connections may be open: `wanted`, or fewer if the limit for open files is too low."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(min(wanted, soft - _RESERVED_FILES), 1)
