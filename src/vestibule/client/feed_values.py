"""Check the form of what the feed sends, before any of it is used."""

import re
from typing import Any

from vestibule.client.errors import NotReachedError, WrongIssuerError
from vestibule.client.keys import MAX_KEYS
from vestibule.protocol.claims import Expected

MAX_SECONDS = 2**37
"""Vestibule sends no moment and no duration beyond this, whatever its clock shows."""

_MAX_SHOWN = 200  # characters of an issuer or audience in a message
_CURSOR = re.compile(r"[\w.:-]{0,64}", re.ASCII)


def number(value: object) -> float:
    """Return a finite number within bounds; raises `NotReachedError`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_SECONDS <= value <= MAX_SECONDS:
        raise NotReachedError("the feed sends an invalid number")
    return float(value)


def whole_number(value: object) -> int:
    """Return a number without a fraction; raises `NotReachedError`."""
    checked = number(value)
    if not checked.is_integer():
        raise NotReachedError("the feed sends an invalid moment")
    return int(checked)


def revoked(value: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a `revoked` event: for how many seconds each session is revoked; and for each account, a
    moment in seconds since 1970, and for how many seconds tokens issued before that moment are revoked. Raises
    `NotReachedError`.
    """
    sessions, accounts = value.get("sessions", {}), value.get("accounts", {})
    if not isinstance(sessions, dict) or not isinstance(accounts, dict):
        raise NotReachedError("the feed sends invalid revocations")
    return {
        "sessions": {session: number(seconds) for session, seconds in sessions.items()},
        "accounts": {account: _moment_and_seconds(pair) for account, pair in accounts.items()},
    }


def _moment_and_seconds(value: object) -> tuple[int, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise NotReachedError("the feed sends an invalid revoked account")
    return whole_number(value[0]), number(value[1])


def key_ids(value: object) -> list[str]:
    """Return a list of at most `MAX_KEYS` key ids; raises `NotReachedError`."""
    if not isinstance(value, list) or len(value) > MAX_KEYS or not all(isinstance(kid, str) for kid in value):
        raise NotReachedError("the feed sends an invalid list of keys")
    return value


def version(value: object) -> str:
    """Return the version of the document of permissions; raises `NotReachedError`."""
    if not isinstance(value, str) or not _CURSOR.fullmatch(value) or not value:
        raise NotReachedError("the feed sends an invalid version of permissions")
    return value


def cursor(value: str | None) -> str:
    """Return the position in the feed, which is later sent back as it is; raises `NotReachedError`."""
    if not _CURSOR.fullmatch(value or ""):
        raise NotReachedError("the feed sends an invalid cursor")
    return value or ""


def require_issuer_and_audience(hello: dict[str, Any], expected: Expected) -> None:
    """Raise `WrongIssuerError` if the feed names another issuer or audience than the expected one: every token of this
    Vestibule would be refused. An older Vestibule names neither, and passes.
    """
    for name, ours in (("issuer", expected.issuers), ("audience", (expected.audience,))):
        theirs = str(hello.get(name, ours[0]))[:_MAX_SHOWN]
        if theirs not in [each[:_MAX_SHOWN] for each in ours]:
            wanted = " or ".join(map(repr, ours))
            raise WrongIssuerError(
                f"the tokens of this Vestibule have {name} {theirs!r}, and this service expects {wanted}, so it would "
                f"refuse them all: make the Verifier with {name}={theirs!r}, or check the url"
            )
