"""The limits of sessions: how long they last, how they are refreshed, and how many one account may have."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class SessionLimits:
    """The limits of sessions. A session ends after `idle` without use, and `absolute` after its begin. For
    `refresh_grace` after a refresh, another tab may use the same refresh token again. `rotate`: each refresh issues a
    new refresh token. `for_account`: how many sessions one account may have at once.
    """

    idle: timedelta
    absolute: timedelta
    refresh_grace: timedelta
    rotate: bool = True
    for_account: int = 100

    def idle_end(self, now: datetime, expires_at: datetime) -> datetime:
        """Return when a session used at `now` ends if it is not used again; never after its absolute end."""
        return min(now + self.idle, expires_at)

    def may_have_token_of_second(self, issued_at: datetime, now: datetime) -> bool:
        """Return whether a session may have an access token that was issued in the same second as `now`.

        `issued_at` is when its last refresh token was issued, together with an access token. Later access tokens may
        have been issued without a refresh token: to a racing tab, within `refresh_grace`, and to any refresh if
        refresh tokens do not rotate.
        """
        return not self.rotate or issued_at >= now - self.refresh_grace - timedelta(seconds=1)
