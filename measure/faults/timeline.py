"""What happened to each request, and the figures made of it."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from measure.load import percentile

_SUCCESS_SHARE = 0.99
_NOT_LOAD = {"audit", "probe"}


@dataclass(frozen=True)
class Request:
    """One request: what, when it began and how long it took (seconds), how it ended: a status, or a word."""

    kind: str
    begun: float
    seconds: float
    outcome: str
    ok: bool

    @property
    def ended(self) -> float:
        return self.begun + self.seconds


@dataclass(frozen=True)
class Figures:
    """Of one run of a cell. Seconds; None where nothing could be measured."""

    requests: int
    failed: dict[str, int]
    longest_gap: float | None
    recovered_after: float | None
    p99_during: float | None
    p99_after: float | None


@dataclass
class Timeline:
    """Every request of a run, and when the fault began and ended."""

    requests: list[Request] = field(default_factory=list)
    begun: float | None = None
    ended: float | None = None
    closed: bool = False

    def add(self, request: Request) -> None:
        """Write one down. What is asked after the load, to audit it, is no part of it."""
        if not self.closed and request.kind not in _NOT_LOAD:
            self.requests.append(request)

    def between(self, begin: float, end: float) -> list[Request]:
        """The requests that began in a stretch of time."""
        return [request for request in self.requests if begin <= request.begun < end]

    @property
    def during(self) -> list[Request]:
        return self.between(self.begun or 0.0, self.ended or float("inf"))

    @property
    def after(self) -> list[Request]:
        return self.between(self.ended or float("inf"), float("inf"))

    def figures(self) -> Figures:
        failed = Counter(request.outcome for request in self.requests if not request.ok)
        return Figures(
            len(self.requests),
            dict(failed),
            self.longest_gap(),
            self.recovered_after(),
            p99(self.during),
            p99(self.after),
        )

    def longest_gap(self) -> float:
        """The longest time in which no request succeeded."""
        ends = sorted(request.ended for request in self.requests if request.ok)
        return max((later - earlier for earlier, later in pairwise(ends)), default=0.0)

    def recovered_after(self) -> float | None:
        """T99: from the end of the fault until 99 of 100 requests that begin from then on succeed; None: never."""
        if self.ended is None:
            return None
        later = sorted(self.after, key=lambda request: request.begun)
        failures = sum(not request.ok for request in later)
        for index, request in enumerate(later):
            left = len(later) - index
            if failures <= (1 - _SUCCESS_SHARE) * left:
                return 0.0 if index == 0 else request.begun - self.ended
            failures -= not request.ok
        return None


def p99(requests: list[Request]) -> float | None:
    """The 99th percentile of how long they took, in seconds; None without any."""
    return percentile([request.seconds for request in requests], 99) if requests else None
