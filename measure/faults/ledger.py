"""The ledger: what the servers have acknowledged, written down by who was told so."""

import base64
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Person:
    """One who uses the server, one thing after the other, with a browser of its own: `device` is its cookie.

    What was not acknowledged may have happened or not: then `unsure` is set, and a password under way is in `perhaps`.
    If it was not answered at all, it may even happen later, and end sessions then: `late`.
    """

    email: str
    password: str
    id: str = ""
    access: str = ""
    refresh: str = ""
    perhaps: str | None = None
    unsure: bool = False
    late: bool = False
    device: str = ""
    old_refresh: list[str] = field(default_factory=list)

    @property
    def signed_in(self) -> bool:
        return bool(self.refresh)

    def drop_session(self) -> None:
        self.access = self.refresh = ""
        self.unsure = False
        self.old_refresh.clear()


@dataclass(frozen=True)
class Ended:
    """A session whose end was acknowledged, with its last tokens."""

    person: Person
    access: str
    refresh: str
    at: float


@dataclass
class Ledger:
    """Acknowledged things, and the violations that were seen while they went on. Times are monotonic seconds.

    `letters_due`: since when an email waits for a letter of a kind. A second one is not due while the first one's link
    works, and none of a person whose links were perhaps voided.
    """

    registered: dict[str, tuple[str, float]] = field(default_factory=dict)
    letters_due: dict[tuple[str, str], float] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)
    dead_passwords: list[tuple[str, str]] = field(default_factory=list)
    spent_secrets: list[str] = field(default_factory=list)
    violations: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    acknowledged: Counter[str] = field(default_factory=Counter)

    def perhaps_void(self, email: str) -> None:
        """Expect no letter with a link: what voids them may have happened."""
        for kind in ("resetpassword", "verifyemail"):
            self.letters_due[email, kind] = float("-inf")

    def violate(self, invariant: str, note: str) -> None:
        """Count one, and keep the first few in words."""
        self.violations[invariant] += 1
        if len(self.notes) < 20:
            self.notes.append(f"{invariant}: {note}")


def claims(token: str) -> dict[str, Any]:
    """What a JWT says, unverified: enough to see for whom it was made."""
    middle = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found
