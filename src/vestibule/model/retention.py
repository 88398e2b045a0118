"""Retention: for how long what is over is kept, so that it can still be looked at, before it is deleted."""

from dataclasses import dataclass
from datetime import timedelta

_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Retention:
    """How long after its end each is kept; nothing is deleted for which the operator says zero."""

    sessions: timedelta = timedelta(days=90)
    """After the last moment that the session could have lived to, however early it ended."""
    letters: timedelta = timedelta(days=30)
    """After it was queued; a letter that waits is never deleted."""
    devices: timedelta = timedelta(days=365)
    """After it was seen; the one that an account was last seen with is kept as long as the account."""
    unverified: timedelta = timedelta(0)
    """An account after it was registered, if its email was never verified and nobody ever signed in."""
    one_time_tokens: timedelta = _A_DAY
    """After it expired. It is good for nothing by then, so that nobody needs to choose."""
