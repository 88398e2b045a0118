"""Revocations: the append-only record of what ended before its tokens did."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RevocationKind(StrEnum):
    """What a revocation is about."""

    SESSION = "session"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Revocation:
    """From `at` on, tokens of `subject` are refused: a session's all, an account's those issued before `not_before`.

    After `forget_at` every such token has expired, and the record may be forgotten.
    """

    at: datetime
    kind: RevocationKind
    subject: str
    forget_at: datetime
    not_before: datetime | None = None
