"""Findings: what an examination of an installation has shown, in words that an operator can act on."""

from dataclasses import dataclass
from enum import StrEnum

from vestibule.protocol.one_line import one_line


class Severity(StrEnum):
    """How bad it is."""

    FINE = "fine"
    HINT = "hint"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. What is not fine says why that matters, and what to type or to change. Each is one
    line, whatever a server that was asked has said.
    """

    severity: Severity
    subject: str
    what: str
    why: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        for name in ("what", "why", "remedy"):
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
