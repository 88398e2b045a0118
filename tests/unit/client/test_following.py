"""Taking the feed apart, and how fresh it proves to be: by when the request was sent, never by when a word arrived."""

import json

import pytest

from tests.harness.clock import ManualClock
from vestibule.client import Verifier
from vestibule.client.errors import NotReachedError
from vestibule.client.events import MAX_LINE_BYTES, Event, EventParser
from vestibule.client.feed_reader import FeedReader
from vestibule.client.keys import KeySet, parse
from vestibule.crypto import jwk
from vestibule.protocol.revocations import MAX_ENTRIES, Revoked, TooMuch

STREAM = (
    b'event: hello\ndata: {"protocol":1,"now":100.0,"start":"whole"}\n\n'
    b'event: revoked\ndata: {"sessions":{"s":9}}\n\n'
    b'id: 41\nevent: heartbeat\ndata: {"true_at":99.5}\n\n'
)


class Following:
    """A follower that is handed events, under a clock that the test moves. Its request went out at `sent_at`."""

    def __init__(self) -> None:
        self.clock, self.revoked = ManualClock(), Revoked()
        self.beats = 0
        self.feed_reader = FeedReader(self.revoked, self.clock, self._beat)

    def _beat(self) -> None:
        self.beats += 1

    async def send(self) -> None:
        """The request goes out now."""
        self.feed_reader._note_sending("http11.send_request_headers.started")

    def hear(self, text: bytes) -> None:
        for event in EventParser().feed(text):
            self.feed_reader.handle(event)


def heartbeat(true_at: float) -> bytes:
    return b"event: heartbeat\ndata: " + json.dumps({"true_at": true_at}).encode() + b"\n\n"


@pytest.mark.parametrize("size", [1, 2, 7, len(STREAM)])
def test_events_come_out_the_same_however_the_bytes_come_in(size: int) -> None:
    reader = EventParser()
    events = [event for at in range(0, len(STREAM), size) for event in reader.feed(STREAM[at : at + size])]
    assert [(event.name, event.id) for event in events] == [("hello", None), ("revoked", None), ("heartbeat", "41")]
    assert events[1] == Event("revoked", {"sessions": {"s": 9}}, None)


@pytest.mark.parametrize("text", [b"data: x\n\n", b"data: []\n\n", b"a" * (MAX_LINE_BYTES + 1)])
def test_what_is_no_feed_of_vestibules_is_not_taken_for_one(text: bytes) -> None:
    with pytest.raises(NotReachedError):
        list(EventParser().feed(text))


async def test_freshness_counts_from_when_the_request_was_sent() -> None:
    following = Following()
    await following.send()
    following.clock.advance(seconds=1)
    following.hear(STREAM)
    assert following.beats == 1
    assert following.revoked.age(following.clock.monotonic()) == pytest.approx(1.5)


async def test_a_word_that_was_long_on_its_way_renews_nothing() -> None:
    """A stream that is held up and let go again: each word is old when it comes."""
    following = Following()
    await following.send()
    following.hear(STREAM)
    for number in range(10):
        following.clock.advance(seconds=1)
        following.hear(heartbeat(100.0 + number - 6))
    assert following.revoked.age(following.clock.monotonic()) == pytest.approx(7)


async def test_a_server_whose_own_knowledge_stands_still_renews_nothing() -> None:
    following = Following()
    await following.send()
    following.hear(STREAM)
    for _ in range(8):
        following.clock.advance(seconds=1)
        following.hear(heartbeat(99.5))
    assert following.revoked.age(following.clock.monotonic()) == pytest.approx(8.5)


async def test_nothing_makes_it_fresher_than_now() -> None:
    following = Following()
    await following.send()
    following.hear(STREAM + heartbeat(10_000))
    assert following.revoked.age(following.clock.monotonic()) == 0


async def test_k8_the_keys_in_force_are_told_before_it_counts_as_fresh() -> None:
    """K8: what is no list of ids is no heartbeat; an older Vestibule tells none, and nothing is made of that."""
    following, told = Following(), list[list[str]]()
    following.feed_reader = FeedReader(
        following.revoked, following.clock, following._beat, on_keys=lambda kids, _as_of: told.append(kids)
    )
    await following.send()
    following.hear(STREAM)
    assert told == []
    following.hear(b'event: heartbeat\ndata: {"true_at":100,"keys":["a","b"],"more":1}\n\n')
    assert told == [["a", "b"]]
    for odd in (b"7", b"[7]", b'"a"', b"{}"):
        with pytest.raises(NotReachedError):
            following.hear(b'event: heartbeat\ndata: {"true_at":100,"keys":' + odd + b"}\n\n")
    assert following.beats == 2


def fetched(now: float, number: int = 2) -> KeySet:
    """Keys that were fetched now."""
    keys = KeySet(ManualClock(), 60)
    keys._replace_keys(parse({"keys": [jwk.generate(algorithm="ES256").public.as_jwk() for _ in range(number)]}), now)
    return keys


def test_k8_a_key_vouches_while_it_is_listed_and_until_a_list_is_younger_than_the_fetch() -> None:
    keys = fetched(100)
    old, new = keys.by_id
    assert set(keys.in_force) == {old, new}, "an older Vestibule lists none"
    assert not keys.note_listed([old], 99)
    assert set(keys.in_force) == {old, new}, "the process that tells may not know the new one yet"
    assert keys.note_listed([old, new], 100)
    assert not keys.note_listed([new, old], 160)
    assert set(keys.in_force) == {old, new}
    assert keys.note_listed([new], 161)
    assert set(keys.in_force) == {new}
    assert keys.note_listed([], 162)
    assert set(keys.in_force) == set()


def test_k8_a_key_that_was_listed_and_is_no_more_is_not_taken_for_a_new_one() -> None:
    """K8: though it was fetched just now."""
    keys = fetched(100)
    leaked, other = keys.by_id
    keys.note_listed([leaked, other], 98)
    keys.note_listed([other], 99)
    assert set(keys.in_force) == {other}


def test_k8_what_the_feed_stops_to_list_leaves_the_memory_of_a_service_before_anything_is_fetched() -> None:
    """K8: whatever key set it keeps; and what there is now is fetched soon."""
    verifier = Verifier("http://127.0.0.1:1", "vsk_x", clock=ManualClock())
    updater, memory = verifier._here().updater, verifier._here().memory
    keys = updater.keys
    keys.by_id = parse({"keys": [jwk.generate(algorithm="ES256").public.as_jwk() for _ in range(2)]})
    leaked, other = keys.by_id
    updater._note_listed_keys([leaked, other], 1)
    assert (set(memory.keys), updater._keys_changed.is_set()) == ({leaked, other}, False)
    updater._note_listed_keys([other], 2)
    assert (set(memory.keys), updater._keys_changed.is_set()) == ({other}, True)


def test_k8_what_is_fetched_from_a_cache_and_never_listed_vouches_until_the_next_list() -> None:
    keys = fetched(100, number=1)
    keys.note_listed(["another"], 99)
    assert len(keys.in_force) == 1
    keys.note_listed(["another"], 100)
    assert set(keys.in_force) == set()


async def test_another_protocol_is_not_guessed_at() -> None:
    following = Following()
    with pytest.raises(NotReachedError, match="protocol 2"):
        following.hear(b'event: hello\ndata: {"protocol":2,"now":1}\n\n')


async def test_an_event_from_a_later_version_means_nothing() -> None:
    following = Following()
    following.hear(STREAM + b'event: weather\ndata: {"sun":true}\n\n')
    assert len(following.revoked) == 1


def test_more_than_can_be_true_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vestibule.protocol.revocations.MAX_ENTRIES", 3)
    assert MAX_ENTRIES > 100_000
    with pytest.raises(TooMuch):
        Revoked().learn({"sessions": dict.fromkeys("abcd", 9)}, 0.0)
