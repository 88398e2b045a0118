"""How often a service may poll: one with as many workers as may follow is never refused, and a loop is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.harness.world import World
from vestibule.flows.service_keys import create_service_key
from vestibule.model.errors import TooManyPolls
from vestibule.state.poll_limit import POLLS_EACH, PollLimit

WORKERS = 3
PAUSE, AFTER_A_FAILURE = 0.8, 0.4
"""The shortest pauses of the kit's follower, a fifth below the usual ones; the shorter one comes once in a row."""


def moments_of(begin: float, pauses: list[float]) -> list[float]:
    """When a worker polls."""
    moments, before = [begin], PAUSE
    for wished in pauses:
        before = wished if before >= PAUSE else max(wished, PAUSE)
        moments.append(moments[-1] + before)
    return moments


BEGINS = st.floats(0, 2)
PAUSES = st.lists(st.floats(PAUSE, 3) | st.just(AFTER_A_FAILURE), min_size=1, max_size=20)
WORKING = st.builds(moments_of, BEGINS, PAUSES)


@given(st.lists(WORKING, min_size=WORKERS, max_size=WORKERS))
def test_n3_no_honest_service_meets_the_limit(workers: list[list[float]]) -> None:
    """N3: at whatever moments its workers poll, together and after failures."""
    limit = PollLimit(followers=WORKERS)
    for moment in sorted(moment for worker in workers for moment in worker):
        limit.count("k", moment)


def test_n3_beyond_the_limit_a_key_is_refused_until_the_next_second_and_no_other_key_is() -> None:
    limit = PollLimit(followers=WORKERS)
    for _ in range(POLLS_EACH * WORKERS):
        limit.count("k", 7.0)
    with pytest.raises(TooManyPolls) as refused:
        limit.count("k", 7.99)
    assert refused.value.retry_after_seconds == 1
    limit.count("another", 7.99)
    limit.count("k", 8.0)


async def test_n3_a_poll_beyond_the_limit_is_429_with_its_own_code(world: World) -> None:
    headers = {"Authorization": f"Bearer {await create_service_key(world.env, 'billing')}"}
    client = await world.client(origin=None)
    most = POLLS_EACH * 3
    answers = [await client.get("/api/revocations?poll=1", headers=headers) for _ in range(most + 1)]
    assert [answer.status_code for answer in answers] == [200] * most + [429]
    told = answers[-1].json()
    assert (told["status"], told["code"], answers[-1].headers["Retry-After"]) == ("fail", "too_many_polls", "1")
    assert "VESTIBULE_FEED_FOLLOWERS" in told["message"]
    world.clock.advance(seconds=1)
    assert (await client.get("/api/revocations?poll=1", headers=headers)).status_code == 200
