"""What the feed says, judged by its form before any of it is believed."""

import math
import re
from typing import Any

from vestibule.client.errors import NotReachedError

MAX_SECONDS = 2**37
"""Beyond is no moment and no duration of Vestibule's, on whatever clock."""

_CURSOR = re.compile(r"[\w.:-]{0,64}", re.ASCII)


def number(said: object) -> float:
    """A number that can be counted with; raises `NotReachedError`."""
    if isinstance(said, bool) or not isinstance(said, int | float) or not -MAX_SECONDS <= said <= MAX_SECONDS:
        raise NotReachedError("the feed has a number that is none")
    return float(said)


def whole_number(said: object) -> int:
    """The same without a fraction."""
    if not math.isclose(number(said), int(number(said)), abs_tol=0):
        raise NotReachedError("the feed has a moment that is none")
    return int(number(said))


def revoked(said: dict[str, Any]) -> dict[str, Any]:
    """What a `revoked` event says: its sessions, each with seconds, and accounts, each with a moment and seconds."""
    sessions, accounts = said.get("sessions", {}), said.get("accounts", {})
    if not isinstance(sessions, dict) or not isinstance(accounts, dict):
        raise NotReachedError("the feed has revocations that are none")
    return {
        "sessions": {session: number(seconds) for session, seconds in sessions.items()},
        "accounts": {account: _mark(mark) for account, mark in accounts.items()},
    }


def _mark(said: object) -> tuple[int, float]:
    if not isinstance(said, list) or len(said) != 2:
        raise NotReachedError("the feed has a revoked account that is none")
    return whole_number(said[0]), number(said[1])


def cursor(said: str | None) -> str:
    """The place at the feed, which is sent back as it is."""
    if not _CURSOR.fullmatch(said or ""):
        raise NotReachedError("the feed has a cursor that is none")
    return said or ""
