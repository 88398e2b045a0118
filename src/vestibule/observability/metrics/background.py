"""Runs of the background jobs: how long each took, how it ended, and how late revocations were learnt of."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from vestibule.model.revocations import Revocation
from vestibule.observability.metrics.meters import BACKGROUND, REVOCATION_LAG


@contextmanager
def timed(flow: str) -> Iterator[None]:
    """Measure the block as one run of that flow, which an exception makes a failed one."""
    began, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = "done"
    finally:
        BACKGROUND.labels(flow, outcome).observe(time.perf_counter() - began)


def observe_revocation_lag(revocations: Iterable[Revocation], how: str, now: datetime) -> None:
    """Note how long ago they were made, by the clocks of two machines."""
    for revocation in revocations:
        REVOCATION_LAG.labels(how).observe(max((now - revocation.at).total_seconds(), 0.0))
