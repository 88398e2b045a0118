"""A service's clock and Vestibule's: where they differ, nobody is let in, whatever the policy."""

import logging
from datetime import timedelta
from typing import get_args

import pytest

from tests.harness.clock import ManualClock
from tests.harness.world import World
from tests.unit.client.knowing import EXPECTED, Knowing
from vestibule.client import CannotTellError, SessionOverError
from vestibule.client.events import EventParser
from vestibule.client.feed_reader import FeedReader
from vestibule.client.memory import WhenStale
from vestibule.client.setup import Setup
from vestibule.client.throttled_warnings import ThrottledWarnings
from vestibule.flows.feed_services import feed_service
from vestibule.flows.follow_revocations import read_whole_backlog
from vestibule.web.api.services import as_event

NONE, MINUTE, HOURS, DAYS = timedelta(), timedelta(minutes=1), timedelta(hours=2), timedelta(days=400)
SECOND = timedelta(seconds=1)
POLICIES = get_args(WhenStale)


class Service(Knowing):
    """A service that follows, and a token that it knows to be good."""

    def __init__(self, policy: WhenStale = "refuse") -> None:
        super().__init__(policy)
        self.good = self.token()
        assert self.memory.decide(self.good)
        setup = Setup(ThrottledWarnings(self.clock))
        self.feed_reader = FeedReader(
            self.memory.revoked, self.clock, lambda: None, setup, clocks=self.memory.clocks, expected=EXPECTED
        )

    async def hear(self, world: World) -> None:
        """Ask, and hear all that is told up to the first heartbeat."""
        self.feed_reader._note_sending("http11.send_request_headers.started")
        with world.env.feed.following("k") as follower:
            telling = feed_service(world.env, follower)
            text = "".join([as_event(one) for _ in range(2) for one in await anext(telling)])
        for event in EventParser().feed(text.encode()):
            self.feed_reader.handle(event)

    def lets_in(self) -> bool:
        try:
            return bool(self.memory.decide(self.good))
        except CannotTellError:
            return False


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("lead", [HOURS, -HOURS, DAYS, -DAYS, MINUTE + SECOND, -MINUTE - SECOND])
async def test_k14_a_service_lets_nobody_in_by_a_clock_that_is_not_vestibule_s(
    world: World, policy: WhenStale, lead: timedelta
) -> None:
    """K14: Vestibule's is the wrong one, or the service's, from the start or from now on; until it is set right."""
    for wrong in ("service", "vestibule"):
        service = Service(policy)
        clock = service.clock if wrong == "service" else world.clock
        clock.set_ahead(lead)
        await read_whole_backlog(world.env)
        await service.hear(world)
        assert not service.lets_in()
        clock.set_ahead(NONE)
        await read_whole_backlog(world.env)
        await service.hear(world)
        assert service.lets_in()
    service.clock.set_ahead(lead)
    assert not service.lets_in(), "set since the last heartbeat"


@pytest.mark.parametrize("lead", [NONE, MINUTE - SECOND, SECOND - MINUTE])
async def test_k14_clocks_may_differ_by_a_minute_and_a_word_may_take_its_time(world: World, lead: timedelta) -> None:
    service = Service("accept")
    world.clock.set_ahead(lead)
    await read_whole_backlog(world.env)
    await service.hear(world)
    service.clock.advance(minutes=4)
    assert service.lets_in(), "how old it is, is another question"


async def test_k14_until_the_record_is_read_anew_a_service_is_told_of_the_clock_that_was_ahead(world: World) -> None:
    """K14: both were on one machine, whose clock was set right a moment ago."""
    service = Service()
    for clock in (world.clock, service.clock):
        clock.set_ahead(HOURS)
    await read_whole_backlog(world.env)
    for clock in (world.clock, service.clock):
        clock.set_ahead(NONE)
    await service.hear(world)
    assert not service.lets_in()
    await read_whole_backlog(world.env)
    await service.hear(world)
    assert service.lets_in()


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        (-HOURS, "7200 s behind, so that each token is refused at any time"),
        (-45 * SECOND, "45 s behind, so that each token is refused in its first 15 s"),
        (45 * SECOND, "45 s ahead, so that each token is refused in its last 15 s"),
    ],
)
async def test_k14_it_is_said_once_a_minute_with_what_to_do(
    world: World, caplog: pytest.LogCaptureFixture, lead: timedelta, said: str
) -> None:
    """K14: also where the clocks differ by less than a minute, but by more than the leeway."""
    service = Service()
    service.clock.set_ahead(lead)
    await read_whole_backlog(world.env)
    with caplog.at_level(logging.WARNING, "vestibule"):
        await service.hear(world)
        await service.hear(world)
    (line,) = caplog.messages
    assert said in line
    assert "timedatectl set-ntp true" in line


@pytest.mark.parametrize("lead", [NONE, 29 * SECOND, -29 * SECOND])
async def test_k14_within_the_leeway_nothing_is_said(
    world: World, caplog: pytest.LogCaptureFixture, lead: timedelta
) -> None:
    service = Service()
    service.clock.set_ahead(lead)
    await read_whole_backlog(world.env)
    with caplog.at_level(logging.WARNING, "vestibule"):
        await service.hear(world)
    assert caplog.messages == []


def test_k14_what_is_known_to_be_over_stays_over_and_an_older_vestibule_tells_no_clock() -> None:
    knowing = Knowing()
    token = knowing.token()
    knowing.clock.set_ahead(SECOND)
    assert knowing.memory.decide(token)
    knowing.memory.revoked.end_session("s1", until=knowing.clock.monotonic() + 9)
    with pytest.raises(SessionOverError):
        knowing.memory.decide(token)
    assert ManualClock().now() < knowing.clock.now()
