"""Record what happened to each request, and compute the figures of a run."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from measure.load import percentile

_SUCCESS_SHARE = 0.99
_NOT_LOAD = {"audit", "probe"}


@dataclass(frozen=True)
class Request:
    """One request. `begun` is in monotonic seconds; `outcome` is a status, or the word of `NoAnswer`."""

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
    """The figures of one run of a cell, in seconds; None where nothing could be measured. `failed`: counts
    by outcome.
    """

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
        """Add a request of the load. Requests of the audit and probes are left out, and all once the timeline is
        closed.
        """
        if not self.closed and request.kind not in _NOT_LOAD:
            self.requests.append(request)

    def between(self, begin: float, end: float) -> list[Request]:
        """Return the requests that began from `begin` until before `end`."""
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
        """Return the longest time without any success, in seconds."""
        ends = sorted(request.ended for request in self.requests if request.ok)
        return max((later - earlier for earlier, later in pairwise(ends)), default=0.0)

    def recovered_after(self) -> float | None:
        """Return T99: the seconds from the end of the fault until 99 of 100 requests that begin later succeed; None if
        they never do.
        """
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
    """Return the 99th percentile of how long the requests took, in seconds; None if there are none."""
    return percentile([request.seconds for request in requests], 99) if requests else None
