"""Measure background jobs: how long each run took, how it ended, and how late revocations arrived."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from vestibule.model.revocations import Revocation
from vestibule.observability.metrics.meters import BACKGROUND, REVOCATION_LAG


@contextmanager
def timed(flow: str) -> Iterator[None]:
    """Measure the block as one run of the flow. A run that raises counts as failed."""
    began, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = "done"
    finally:
        BACKGROUND.labels(flow, outcome).observe(time.perf_counter() - began)


def observe_revocation_lag(revocations: Iterable[Revocation], how: str, now: datetime) -> None:
    """Measure how long ago the revocations were made. `how` says how this process heard of them: by `poll` or
    `wake_up`. The time includes the clock skew between this machine and the one that made them.
    """
    for revocation in revocations:
        REVOCATION_LAG.labels(how).observe(max((now - revocation.at).total_seconds(), 0.0))
