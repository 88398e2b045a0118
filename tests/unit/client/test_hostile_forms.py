"""K11: what a server says and an operator types has to have its form, or one of the kit's own errors is raised."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.harness.clock import ManualClock
from tests.unit.client.knowing import EXPECTED
from tests.unit.client.speaking import DEEP, HELLO, good
from vestibule.client import CallerRefusedError, NotReachedError, Session, SignedOutError, Verifier
from vestibule.client.events import EventParser
from vestibule.client.feed_reader import FeedReader
from vestibule.client.introspect import Introspection
from vestibule.client.keys import KeySet
from vestibule.client.token_clock import TokenClock
from vestibule.protocol.revocations import Revoked

LONG = "1" * 4000
HOSTILE_EVENTS = [
    ("hello", '{"protocol":1}'),
    ("hello", '{"protocol":1,"now":NaN}'),
    ("hello", '{"protocol":1,"now":"1"}'),
    ("hello", '{"protocol":1,"now":' + LONG + "}"),
    ("hello", '{"protocol":[],"now":1}'),
    *(
        ("revoked", said)
        for said in (
            DEEP,
            "[]",
            "7",
            "null",
            '{"sessions":["a"]}',
            '{"sessions":{"S":"x"}}',
            '{"sessions":{"S":1e400}}',
            '{"sessions":{"S":NaN}}',
            '{"sessions":{"S":true}}',
            '{"sessions":{"S":' + LONG + "}}",
            '{"sessions":null}',
            '{"accounts":{"A":[1e400,5]}}',
            '{"accounts":{"A":[1.5,5]}}',
            '{"accounts":{"A":[1]}}',
            '{"accounts":{"A":"ab"}}',
            '{"accounts":{"A":5}}',
            '{"accounts":[1]}',
        )
    ),
    *(("heartbeat", '{"true_at":' + said + "}") for said in ("1e400", "null", '"9"', "[]", LONG, "-Infinity")),
    ("heartbeat", "{}"),
]


HOSTILE_KEY_SETS = [
    DEEP,
    "{}",
    "[]",
    "null",
    '{"keys":{}}',
    json.dumps({"keys": [good] * 65}),
    *(
        json.dumps({"keys": [{**good, name: odd}]})
        for name in ("alg", "kty", "crv", "x")
        for odd in ([], {}, 5, None, "é")
    ),
    json.dumps({"keys": [{"alg": "ES256", "kty": "EC"}, 5, None, [], "x", {"alg": "RS256", "kty": "RSA", "n": 5}]}),
    json.dumps({"keys": [{"alg": "RS256", "kty": "RSA", "n": "", "e": ""}, {"alg": "EdDSA", "kty": "OKP", "x": ""}]}),
]


HOSTILE_ANSWERS = [
    DEEP,
    "[]",
    "null",
    "{}",
    '{"active":1}',
    '{"active":"true"}',
    '{"active":true,"exp":1e400}',
    "<html>",
]


UNTIL_2286 = "eyJleHAiOjk5OTk5OTk5OTl9"
"""The payload of a token, `{"exp":9999999999}`."""


WRONG_ADDRESSES = [
    "http://localhost:abc",
    "http://localhost:99999",
    "http://localhost:0",
    "http://localhost:-1",
    "https://" + "a" * 70 + ".example",
    "https://" + ".".join(["a" * 60] * 5),
    "https://a..example",
    "https://a b.example",
    "https://auth.example.com\n",
    "https://auth.example.com/\x00",
    "https://auth.example.com\\x",
    "https://[::1",
    "https://[v1.x]",
    "https://auth.example.com?",
    "https://auth.example.com#",
    "https://xn--/",
    "https://%41.example",
    "https://a.example/\udc80",
    "https://a.example/" + "x" * 70_000,
    "https://:443",
    "",
    None,
    b"https://auth.example.com",
]


@pytest.mark.parametrize("make", [lambda url: Verifier(url, "vsk_x"), Session], ids=["verifier", "session"])
def test_k11_an_address_that_nothing_can_have_is_refused_when_it_is_given(make: Callable[[Any], object]) -> None:
    taken = []
    for url in WRONG_ADDRESSES:
        with contextlib.suppress(ValueError):
            make(url)
            taken.append(url)
    assert taken == []
    for url in ("http://[::1]:8000", "https://auth.example.com.", "https://bücher.example/sub/", "http://127.0.0.1:1"):
        make(url)


def test_k11_no_event_of_the_feed_is_believed_that_has_another_form() -> None:
    for name, said in HOSTILE_EVENTS:
        clock, revoked, fresh = ManualClock(), Revoked(), list[bool]()
        follower = FeedReader(revoked, clock, lambda beaten=fresh: beaten.append(True))  # type: ignore[misc]
        if name != "hello":
            hear(follower, HELLO)
        with pytest.raises(NotReachedError):
            hear(follower, f"event: {name}\ndata: {said}\n\n".encode())
        assert (len(revoked), fresh, revoked.fresh_as_of) == (0, [], float("-inf")), said[:80]


def test_k11_no_cursor_is_sent_back_that_has_another_form() -> None:
    for odd in ("1" * 65, "a b", "a&after=1", "\u00e9", "\x1b"):
        fresh = list[bool]()
        follower = FeedReader(Revoked(), ManualClock(), lambda beaten=fresh: beaten.append(True))  # type: ignore[misc]
        hear(follower, HELLO)
        with pytest.raises(NotReachedError):
            hear(follower, f'id: {odd}\nevent: heartbeat\ndata: {{"true_at":1}}\n\n'.encode())
        assert (fresh, follower._cursor) == ([], ""), odd


def hear(follower: FeedReader, text: bytes) -> None:
    for event in EventParser().feed(text):
        follower.handle(event)


def answering(text: str) -> httpx.AsyncClient:
    async def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(text.encode()), headers={"Content-Type": "application/json"})

    return httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://auth.example.com")


async def test_k11_no_key_set_of_another_form_is_taken() -> None:
    for said in HOSTILE_KEY_SETS:
        keys = KeySet(ManualClock(), 60)
        async with answering(said) as http:
            with pytest.raises(NotReachedError):
                await keys.fetch(http)
        assert keys.by_id == {}


async def test_k11_no_answer_of_another_form_says_who_is_calling_or_that_nobody_is() -> None:
    for said in HOSTILE_ANSWERS:
        async with answering(said) as http:
            with pytest.raises(CallerRefusedError) as refused:
                await Introspection(http, EXPECTED, TokenClock()).ask("a.b.c")
            assert refused.value.code != "session_over", said[:80]


def test_k11_a_session_tells_every_answer_that_is_none_by_the_kit_s_own_error() -> None:
    odd_tokens = ("é\x7f", f"e30.{UNTIL_2286}.\x7f", f"e30.{UNTIL_2286}.x y", "x", "e30.e30.x", "e30.W10.x", "e30.x.x")
    for status, headers, said in (
        (200, [], DEEP),
        (400, [], DEEP),
        (400, [], "[]"),
        *((200, _cookies(odd, "x"), "{}") for odd in odd_tokens),
        (200, _cookies(f"e30.{UNTIL_2286}.x", "x y"), "{}"),
        (200, [("Content-Encoding", "gzip")], "not so"),
    ):
        transport = httpx.MockTransport(
            lambda _request, status=status, headers=headers, said=said: httpx.Response(  # type: ignore[misc]
                status,
                headers=[(name.encode(), value.encode()) for name, value in headers],
                stream=httpx.ByteStream(said.encode()),
            )
        )
        session = Session("http://127.0.0.1:1", transport=transport)
        with pytest.raises((NotReachedError, SignedOutError)):
            session.sign_in("ada@example.com", "correct horse")


def _cookies(access: str, refresh: str) -> list[tuple[str, str]]:
    return [("Set-Cookie", f"access_token={access}"), ("Set-Cookie", f"refresh_token={refresh}")]
