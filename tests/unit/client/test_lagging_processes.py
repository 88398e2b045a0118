"""Processes of Vestibule lag behind each other: what one tells replaces nothing newer that another has told."""

import json
from typing import Any

import httpx
import pytest

from tests.unit.client.knowing import EXPECTED, Knowing
from tests.unit.client.test_new_keys import fate, renamed
from vestibule.client import CallerRefusedError, CannotTellError, TokenInvalidError
from vestibule.client.caller_errors import KeyUnknownError
from vestibule.client.events import EventParser
from vestibule.client.feed_reader import FeedReader
from vestibule.client.key_listing import _MOST_WITHDRAWN, KeyListing
from vestibule.client.keys import KeySet
from vestibule.crypto import jwk

LAG = 3.0
LAGS = [{"true_at": LAG, "keys_at": LAG}, {"true_at": 0.0, "keys_at": LAG}, {"true_at": LAG}]
each_lag = pytest.mark.parametrize("lag", LAGS, ids=["all of it", "its keys", "an older version"])
NEW, WITHDRAWN = "new", "withdrawn"


class Service(Knowing):
    """A service that hears several processes, each by an answer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.showed_at_0 = self.clock.now().timestamp() - self.clock.monotonic()

    async def hear(self, keys: list[str], lag: dict[str, float], clock: float = 0.0) -> None:
        """One heartbeat of a process that lags by so many seconds, and whose clock is ahead by some."""
        reader = FeedReader(
            self.memory.revoked,
            self.clock,
            lambda: None,
            on_keys=self.memory.listing.take,
            clocks=self.memory.clocks,
            expected=EXPECTED,
        )
        reader._note_sending("http11.send_request_headers.started")
        now = self.clock.monotonic()
        said = {name: now - seconds for name, seconds in lag.items()}
        beat: dict[str, Any] = {"keys": keys, "clock": self.showed_at_0 + clock, **said}
        hello = {"protocol": 1, "now": now}
        text = f"event: hello\ndata: {json.dumps(hello)}\n\nid: 1\nevent: heartbeat\ndata: {json.dumps(beat)}\n\n"
        for event in EventParser().feed(text.encode()):
            reader.handle(event)


@each_lag
async def test_k8_k31_the_keys_of_a_process_that_lags_behind_are_not_believed(lag: dict[str, float]) -> None:
    """K8, K31: a withdrawn key stays withdrawn, and a token of a new one is no invalid one."""
    service = Service()
    told_before = int(service.clock.now().timestamp()) - 60
    of_new, of_withdrawn = (
        renamed(service.token(issued_at=told_before, expires_at=told_before + 900), kid) for kid in (NEW, WITHDRAWN)
    )
    await service.hear([WITHDRAWN], dict.fromkeys(LAGS[0], 0.0))
    service.clock.advance(seconds=1)
    await service.hear([NEW], dict.fromkeys(LAGS[0], 0.0))
    service.clock.advance(seconds=1)
    await service.hear([WITHDRAWN], lag)
    assert (fate(service, of_new), fate(service, of_withdrawn)) == (KeyUnknownError, TokenInvalidError)
    service.clock.advance(seconds=LAG)
    await service.hear([NEW, "newer"], lag)
    assert service.memory.listing.lists("newer"), "once it has caught up, it is believed"


@pytest.mark.parametrize(
    ("listed", "stale", "outcome"), [(True, True, None), (False, False, None), (False, True, CannotTellError)]
)
def test_k8_a_key_that_was_never_listed_vouches_for_nobody_while_the_feed_is_away(
    listed: bool, stale: bool, outcome: type[CallerRefusedError] | None
) -> None:
    """K8: also under `accept`. A cache may bring back what was withdrawn before this process began."""
    service = Knowing("accept")
    withdrawn, token = dict(service.memory.keys), service.token()
    keys = KeySet(service.clock, 60, service.memory.listing)
    keys.note_listed([NEW, *withdrawn] if listed else [NEW], service.clock.monotonic())
    service.clock.advance(seconds=60 if stale else 1)
    keys._replace_keys(withdrawn, service.clock.monotonic())
    service.memory.keys = keys.in_force
    assert let_in_or_refused(service, token) is outcome


def let_in_or_refused(service: Knowing, token: str) -> type[CallerRefusedError] | None:
    try:
        service.memory.decide(token)
    except CallerRefusedError as refusal:
        return type(refusal)
    return None


def test_k8_what_was_withdrawn_stays_withdrawn_after_the_background_was_started_anew() -> None:
    """K8: also while no new list has come, or only one of a process that lags behind."""
    service = Knowing()
    brought, token = dict(service.memory.keys), service.token()
    KeySet(service.clock, 60, service.memory.listing).note_listed(list(brought), service.clock.monotonic())
    service.memory.listing.take([NEW], service.clock.monotonic())
    for _ in range(2):
        service.memory.drop()
        keys = KeySet(service.clock, 60, service.memory.listing)
        keys._replace_keys(brought, service.clock.monotonic())
        assert not keys.note_listed(list(brought), service.clock.monotonic() - LAG)
        assert keys.in_force == {}
        service.memory.keys = keys.in_force | {NEW: next(iter(brought.values()))}
        assert fate(service, token) is TokenInvalidError


def test_k31_a_listed_key_that_a_fetch_did_not_bring_is_unknown_after_the_background_was_started_anew() -> None:
    """K31: its tokens are not invalid. A cache answered the fetch, or a process that lags behind."""
    service = Knowing()
    issued = int(service.clock.now().timestamp()) - 60
    token = renamed(service.token(issued_at=issued, expires_at=issued + 900), NEW)
    known = service.memory.keys
    service.memory.listing.take([NEW, *known], service.clock.monotonic())
    service.memory.drop()
    service.memory.keys, service.memory.keys_as_of = known, service.clock.monotonic()
    assert fate(service, token) is KeyUnknownError


def test_withdrawn_keys_are_bounded_and_the_latest_stay() -> None:
    listing = KeyListing()
    for number in range(2 * _MOST_WITHDRAWN):
        listing.take([f"k{number}"], number)
    assert len(listing._withdrawn) == _MOST_WITHDRAWN
    assert listing.withdrew(f"k{2 * _MOST_WITHDRAWN - 2}")
    assert listing.lists(f"k{2 * _MOST_WITHDRAWN - 1}")
    listing.take(["k1999", "k1998"], 2 * _MOST_WITHDRAWN)
    assert not listing.withdrew("k1998")


async def test_k14_nor_is_the_clock_that_it_measured_then() -> None:
    service = Service()
    await service.hear([NEW], {"true_at": 0.0}, clock=120)
    await service.hear([NEW], {"true_at": LAG}, clock=0)
    assert not service.memory.clocks.agree(service.clock.now().timestamp(), service.clock.monotonic())
    await service.hear([NEW], {"true_at": 0.0}, clock=0)
    assert service.memory.clocks.agree(service.clock.now().timestamp(), service.clock.monotonic())


def answering(keys: list[dict[str, str]], headers: dict[str, str]) -> httpx.AsyncClient:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps({"keys": keys}).encode()), headers=headers)

    return httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://auth.example.com")


async def fetch(keys: KeySet, members: list[dict[str, str]], **headers: str) -> None:
    async with answering(members, headers) as http:
        await keys.fetch(http)


async def test_k31_a_fetch_from_a_process_that_lags_behind_takes_no_key_away_that_is_listed() -> None:
    service = Service()
    keys = KeySet(service.clock, 60)
    old, new = (jwk.generate(algorithm="ES256").public for _ in range(2))
    await fetch(keys, [old.as_jwk(), new.as_jwk()])
    keys.note_listed([old.kid, new.kid], service.clock.monotonic())
    await fetch(keys, [old.as_jwk()])
    assert set(keys.in_force) == {old.kid, new.kid}
    keys.note_listed([new.kid], service.clock.monotonic())
    await fetch(keys, [old.as_jwk()])
    assert set(keys.in_force) == set(keys.by_id) - {old.kid} == {new.kid}


@pytest.mark.parametrize(("age", "seconds"), [("0", 0), ("100", 100), ("x", float("inf")), ("-1", float("inf"))])
async def test_k8_a_fetch_that_a_cache_answers_tells_of_the_moment_at_which_it_was_kept(
    age: str, seconds: float
) -> None:
    """K8: so a key that was withdrawn since then is no new one, though it was never listed here."""
    service = Service()
    keys = KeySet(service.clock, 60)
    leaked = jwk.generate(algorithm="ES256").public
    keys.note_listed(["another"], service.clock.monotonic() - 1)
    await fetch(keys, [leaked.as_jwk()], Age=age)
    assert keys.as_of == service.clock.monotonic() - seconds
    assert bool(keys.in_force) == (seconds < 1)
