"""The ledger: what the servers have acknowledged."""

import base64
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Person:
    """Somebody who uses the servers, one request at a time. `device` is the cookie of their browser.

    A change that was not acknowledged may have happened or not. Then `unsure` is set: their session may have ended;
    and `perhaps` is the password that may be the new one. If no answer came at all, `late` is set: the change may still
    happen, and end sessions then. `old_refresh` are the last three refresh tokens that were spent.
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
    """What was acknowledged, and the violations found. Times are monotonic seconds.

    `registered`: id and time by email. `letters_due`: since when a letter must arrive, by email and kind. A second
    letter is not due while the link of the first works, and none is due to a person whose links may be void.
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
        """Expect no more letters with links to this email: the links may be void."""
        for kind in ("resetpassword", "verifyemail"):
            self.letters_due[email, kind] = float("-inf")

    def violate(self, invariant: str, note: str) -> None:
        """Count a violation of an invariant, and keep the note if it is among the first twenty."""
        self.violations[invariant] += 1
        if len(self.notes) < 20:
            self.notes.append(f"{invariant}: {note}")


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, unverified."""
    middle = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found
