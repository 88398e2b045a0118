"""Retention: how long rows are kept after they are over, before they are deleted."""

from dataclasses import dataclass
from datetime import timedelta

_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Retention:
    """How long each kind of row is kept. Zero keeps it without end."""

    sessions: timedelta = timedelta(days=90)
    """After the session's latest possible end, even if it ended earlier."""
    letters: timedelta = timedelta(days=30)
    """After the letter was queued. A waiting letter is never deleted."""
    devices: timedelta = timedelta(days=365)
    """After the device was last seen. An account's last seen device is kept as long as the account."""
    unverified: timedelta = timedelta(0)
    """After the account was registered, if its email was never verified and nobody ever signed in."""
    one_time_tokens: timedelta = _A_DAY
    """After the token expired. There is no setting for this: an expired token is of no use."""
