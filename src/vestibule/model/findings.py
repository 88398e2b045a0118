"""Findings: what the doctor found in an installation, and what the operator can do about it."""

from dataclasses import dataclass
from enum import StrEnum

from vestibule.protocol.one_line import one_line


class Severity(StrEnum):
    """How bad a finding is."""

    FINE = "fine"
    HINT = "hint"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """The result of one check. If something is not fine, `why` says why that matters, and `remedy` what to type or
    change. Each text is made one line, because it may repeat what a server answered.
    """

    severity: Severity
    subject: str
    what: str
    why: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        for name in ("what", "why", "remedy"):
            # A frozen dataclass refuses `self.what = …`, also here.
            object.__setattr__(self, name, one_line(getattr(self, name)))


def fine(subject: str, what: str) -> Finding:
    """Return a finding that nothing is wrong."""
    return Finding(Severity.FINE, subject, what)


def hint(subject: str, what: str, why: str, remedy: str) -> Finding:
    """Return a finding that something works and could be better."""
    return Finding(Severity.HINT, subject, what, why, remedy)


def warning(subject: str, what: str, why: str, remedy: str) -> Finding:
    """Return a finding that something works for now, or not for everybody."""
    return Finding(Severity.WARNING, subject, what, why, remedy)


def fault(subject: str, what: str, why: str, remedy: str) -> Finding:
    """Return a finding that something does not work."""
    return Finding(Severity.FAULT, subject, what, why, remedy)
