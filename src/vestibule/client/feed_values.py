"""Check the form of what the feed sends before believing any of it."""

import math
import re
from typing import Any

from vestibule.client.errors import NotReachedError, WrongIssuerError
from vestibule.protocol.claims import Expected

MAX_SECONDS = 2**37
"""Vestibule sends no moment and no duration beyond this, whatever its clock shows."""

_MAX_SHOWN = 200
_CURSOR = re.compile(r"[\w.:-]{0,64}", re.ASCII)


def number(said: object) -> float:
    """Return a finite number within bounds; raises `NotReachedError`."""
    if isinstance(said, bool) or not isinstance(said, int | float) or not -MAX_SECONDS <= said <= MAX_SECONDS:
        raise NotReachedError("the feed sends an invalid number")
    return float(said)


def whole_number(said: object) -> int:
    """Return a number without a fraction; raises `NotReachedError`."""
    if not math.isclose(number(said), int(number(said)), abs_tol=0):
        raise NotReachedError("the feed sends an invalid moment")
    return int(number(said))


def revoked(said: dict[str, Any]) -> dict[str, Any]:
    """Return what a `revoked` event says: for how many seconds each session is revoked; and for each account, up to
    which moment its tokens are revoked, and for how many seconds. Raises `NotReachedError`.
    """
    sessions, accounts = said.get("sessions", {}), said.get("accounts", {})
    if not isinstance(sessions, dict) or not isinstance(accounts, dict):
        raise NotReachedError("the feed sends invalid revocations")
    return {
        "sessions": {session: number(seconds) for session, seconds in sessions.items()},
        "accounts": {account: _moment_and_seconds(pair) for account, pair in accounts.items()},
    }


def _moment_and_seconds(said: object) -> tuple[int, float]:
    if not isinstance(said, list) or len(said) != 2:
        raise NotReachedError("the feed sends an invalid revoked account")
    return whole_number(said[0]), number(said[1])


def cursor(said: str | None) -> str:
    """Return the position in the feed, which is later sent back as it is; raises `NotReachedError`."""
    if not _CURSOR.fullmatch(said or ""):
        raise NotReachedError("the feed sends an invalid cursor")
    return said or ""


def require_issuer_and_audience(hello: dict[str, Any], expected: Expected) -> None:
    """Raise `WrongIssuerError` if the feed tells another issuer or audience than the expected one: every token of this
    Vestibule would be refused. One that tells neither is older.
    """
    for name, ours in (("issuer", expected.issuers), ("audience", (expected.audience,))):
        theirs = str(hello.get(name, ours[0]))[:_MAX_SHOWN]
        if theirs not in [each[:_MAX_SHOWN] for each in ours]:
            wanted = " or ".join(map(repr, ours))
            raise WrongIssuerError(
                f"the tokens of this Vestibule have {name} {theirs!r}, and this service expects {wanted}, so it would "
                f"refuse them all: make the Verifier with {name}={theirs!r}, or check the url"
            )
