"""The doctor's rules as rows of a table: a condition, and the finding if it is true."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from vestibule.model.findings import Finding

T = TypeVar("T")


@dataclass(frozen=True)
class Rule(Generic[T]):
    """One row. If `applies` is true of what was seen, `make` (`hint`, `warning` or `fault`) makes a finding of the
    subject, `what`, `why` and `remedy`. `what` is a function if its sentence names a value.
    """

    applies: Callable[[T], bool]
    make: Callable[[str, str, str, str], Finding]
    what: str | Callable[[T], str]
    why: str
    remedy: str

    def finding_about(self, subject: str, seen: T) -> Finding:
        """Return the finding about what was seen."""
        what = self.what if isinstance(self.what, str) else self.what(seen)
        return self.make(subject, what, self.why, self.remedy)


def findings(rules: Iterable[Rule[T]], subject: str, seen: T) -> list[Finding]:
    """Return a finding for each rule that applies, in the order of the table."""
    return [rule.finding_about(subject, seen) for rule in rules if rule.applies(seen)]
