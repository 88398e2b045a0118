"""Sessions: how they begin, and the two ends of time that none outlives."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vestibule.model.session_limits import SessionLimits
from vestibule.model.sessions import Device, EndReason, Session, begin

NOW = datetime(2026, 11, 23, 23, 9, 51, 236_000, tzinfo=UTC)
HOUR, DAY, TICK = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
LIMITS = SessionLimits(idle=HOUR, absolute=DAY, refresh_grace=timedelta(seconds=10))
DEVICE = Device("a browser", "192.0.2.7")

IDLE_ENDS = {
    "long before the absolute end": (NOW, NOW + DAY, NOW + HOUR),
    "a tick before they meet": (NOW, NOW + HOUR + TICK, NOW + HOUR),
    "when they meet": (NOW, NOW + HOUR, NOW + HOUR),
    "a tick after they met": (NOW, NOW + HOUR - TICK, NOW + HOUR - TICK),
    "at the absolute end": (NOW, NOW, NOW),
    "after the absolute end": (NOW, NOW - HOUR, NOW - HOUR),
}


def started(limits: SessionLimits = LIMITS) -> Session:
    return begin("s1", "ada", DEVICE, limits, NOW)


def test_a_session_begins_with_its_first_counter_issued_and_none_accepted() -> None:
    assert started() == Session(
        id="s1",
        account_id="ada",
        device=DEVICE,
        created_at=NOW,
        last_seen_at=NOW,
        idle_expires_at=NOW + HOUR,
        expires_at=NOW + DAY,
        issued_at=NOW,
        authenticated_at=NOW,
        methods=("pwd",),
        current=1,
        parent=0,
        base=0,
        ended_at=None,
        end_reason=None,
    )


@pytest.mark.parametrize(("now", "expires_at", "expected"), IDLE_ENDS.values(), ids=IDLE_ENDS)
def test_the_idle_end_never_passes_the_absolute_end(now: datetime, expires_at: datetime, expected: datetime) -> None:
    assert LIMITS.idle_end(now, expires_at) == expected


def test_an_idle_limit_beyond_the_absolute_one_is_cut() -> None:
    session = started(replace(LIMITS, idle=2 * DAY))
    assert session.idle_expires_at == session.expires_at == NOW + DAY


@pytest.mark.parametrize(
    ("later", "live"),
    [(timedelta(0), True), (HOUR - TICK, True), (HOUR, False), (HOUR + TICK, False), (30 * DAY, False)],
)
def test_a_session_lives_until_its_idle_end(later: timedelta, live: bool) -> None:
    assert started().live(NOW + later) is live


@pytest.mark.parametrize("reason", EndReason)
def test_an_ended_session_is_over_however_early(reason: EndReason) -> None:
    ended = replace(started(), ended_at=NOW, end_reason=reason)
    assert not ended.live(NOW)
    assert not ended.live(NOW - HOUR)
