"""Pauses: what is not checked for an account for a while, after too many wrong passwords or codes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AttemptKind(StrEnum):
    """What was wrong too often. `CODE`: any code of a second factor except recovery codes."""

    PASSWORD = "password"
    CODE = "code"
    RECOVERY_CODE = "recovery_code"


@dataclass(frozen=True)
class Pause:
    """From devices that are not known, nothing of this kind is checked before `until`. If `until` is None, nothing is
    checked before an unlock, or, for passwords, a password reset.
    """

    of: AttemptKind
    until: datetime | None
