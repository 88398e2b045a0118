"""Print signing keys: a table, every detail, or JSON lines for programs. Never a private key."""

import json
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from vestibule.cli.tables import minute, table
from vestibule.model.signing_keys import KeyState, SealedKey
from vestibule.state.key_ring import KeyRing


def print_given(ring: KeyRing) -> None:
    """Print a line of JSON for each key that the settings give."""
    for use, key_set in (("access", ring.access), ("refresh", ring.refresh)):
        public = key_set.signing.public
        print(json.dumps({"kid": public.kid, "use": use, "state": "current", "alg": public.alg}))


def print_stored(stored: Sequence[SealedKey]) -> None:
    """Print a line of JSON for each stored key. `checks_until` is null unless the key is retired."""
    for key in stored:
        until = key.checks_until if key.state is KeyState.RETIRED else None
        known = {"kid": key.kid, "use": key.use.value, "state": key.state.value, "alg": key.alg}
        times = {"since": key.state_since.isoformat(), "checks_until": until and until.isoformat()}
        print(json.dumps({**known, **times}))


def given_table(ring: KeyRing) -> Table:
    """Return a table of the keys that the settings give."""
    lines = table("use", "key id", "kind", "state")
    for use, key_set in (("access", ring.access), ("refresh", ring.refresh)):
        public = key_set.signing.public
        lines.add_row(use, public.kid, f"{public.alg} {public.bits}", "current")
    return lines


def stored_table(stored: list[SealedKey]) -> Table:
    """Return a table of stored keys."""
    lines = table("use", "key id", "kind", "state", "since")
    for key in stored:
        lines.add_row(
            key.use.value, escape(key.kid), escape(key.alg), key.state.value, key.state_since.date().isoformat()
        )
    return lines


def details_of(key: SealedKey) -> dict[str, str]:
    """Return everything about a stored key except the key itself."""
    until = minute(key.checks_until) if key.checks_until and key.state is KeyState.RETIRED else ""
    since = minute(key.state_since)
    return {"use": key.use.value, "kind": key.alg, "state": key.state.value, "since": since, "until": until}
