"""Pauses: what is not checked or not mailed for an account for a while, because it was wrong or asked for too often."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vestibule.model.clock import MOST_APART
from vestibule.model.login_attempts import AttemptCount, LoginAttemptLimits


class AttemptKind(StrEnum):
    """What was wrong too often, or asked for too often by email. `CODE`: any code of a second factor except recovery
    codes. `EMAIL_CODE`: a wrong code from an email; `CODE_LETTER`: such an email.
    """

    PASSWORD = "password"
    CODE = "code"
    RECOVERY_CODE = "recovery_code"
    EMAIL_CODE = "email_code"
    RESET_LETTER = "reset_letter"
    VERIFICATION_LETTER = "verification_letter"
    CODE_LETTER = "code_letter"
    FACTORS_LOST_LETTER = "factors_lost_letter"

    @property
    def mailed(self) -> bool:
        """Return whether this is about emails that are not sent, not about attempts that are not checked."""
        return self.value.endswith("_letter")


@dataclass(frozen=True)
class Pause:
    """From devices that are not known, nothing of this kind is checked before `until`. If `until` is None, nothing is
    checked before an unlock, or, for passwords, a password reset. No email of this kind is sent before `until` to a
    device or network that asked too often. `since`: when the last one was counted.
    """

    of: AttemptKind
    until: datetime | None
    since: datetime | None = None


def pause_of(of: AttemptKind, count: AttemptCount, limits: LoginAttemptLimits, now: datetime) -> Pause | None:
    """Return the pause in which the next attempt is refused, even if it is right; None if it is checked."""
    restart = limits.waits_restart_after
    restarts_at = count.last_at + restart if restart else None
    restarted = restarts_at is not None and now > restarts_at
    if count.total >= limits.at_most and not (limits.total_restarts and restarted):
        return Pause(of, restarts_at if limits.total_restarts else None, count.last_at)
    if restarted or count.last_at > now + 2 * MOST_APART:  # by a clock that was ahead: nobody must wait until then
        return None
    wait = count.wait(limits, now)
    return Pause(of, now + wait, count.last_at) if wait else None
