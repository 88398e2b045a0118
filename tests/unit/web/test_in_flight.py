"""How long the client of a connection has waited, by the stage of its request."""

import math
from collections.abc import Callable

import pytest

from vestibule.web import in_flight
from vestibule.web.in_flight import InFlight, Stage

PEER = ("192.0.2.1", 50_000)
Step = Stage | float | None
"""A stage to record, seconds that pass, or None: the request is over."""


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(in_flight, "time", clock)
    return clock


@pytest.fixture
def after(clock: Clock) -> Callable[[list[Step]], InFlight]:
    def take(steps: list[Step]) -> InFlight:
        requests = InFlight()
        for step in steps:
            if isinstance(step, Stage):
                requests.record(PEER, step)
            elif step is None:
                requests.finish(PEER)
            else:
                clock.now += step
        return requests

    return take


@pytest.mark.parametrize(
    ("steps", "stage", "seconds"),
    [
        ([], None, math.inf),
        ([Stage.WORKING, Stage.READING, 1.5, Stage.WORKING, Stage.READING, 2.0], Stage.READING, 3.5),
        ([Stage.WORKING, 60.0], Stage.WORKING, 60.0),
        ([Stage.WORKING, 60.0, Stage.ANSWERING], Stage.ANSWERING, 0.0),
        ([Stage.WORKING, Stage.ANSWERING, 3.0], Stage.ANSWERING, 3.0),
        ([Stage.WORKING, 60.0, Stage.ANSWERING, 3.0, None], Stage.ANSWERING, 0.0),
        ([Stage.WORKING, 60.0, None, 1.0], Stage.ANSWERING, 1.0),
        ([Stage.WORKING, 60.0, None, 1.1], None, math.inf),
        ([None, 0.1], None, math.inf),
        ([Stage.WORKING, None, 0.5, Stage.WORKING, 0.2], Stage.WORKING, 0.2),
        ([Stage.WORKING, None, 0.9, Stage.WORKING, None, 0.9], Stage.ANSWERING, 0.9),
    ],
)
def test_n10_an_answer_that_may_not_be_written_yet_is_owed(
    after: Callable[[list[Step]], InFlight], steps: list[Step], stage: Stage | None, seconds: float
) -> None:
    """N10: and what the server itself took does not count against the client."""
    found, waited = after(steps).stage_of(PEER)
    assert (found, round(waited, 3)) == (stage, seconds)


def test_n10_answers_are_remembered_for_a_second(clock: Clock) -> None:
    requests = InFlight()
    for port in range(10_000):
        requests.record(("192.0.2.1", port), Stage.WORKING)
        requests.finish(("192.0.2.1", port))
        clock.now += 0.01
    assert (len(requests), len(requests._answered)) == (0, 101)
