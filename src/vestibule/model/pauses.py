"""Pauses: what is not checked for an account for a while, after too many wrong passwords or codes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AttemptKind(StrEnum):
    """What is counted while it is wrong. Codes are all those of a second factor except recovery codes."""

    PASSWORD = "password"
    CODE = "code"
    RECOVERY_CODE = "recovery_code"


@dataclass(frozen=True)
class Pause:
    """On devices that are not known, none of these is checked before `until`; None if not before a reset."""

    of: AttemptKind
    until: datetime | None
