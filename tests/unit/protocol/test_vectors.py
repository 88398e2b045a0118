"""The server and the kit, both held to the vectors in docs/protocol/."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.harness.clock import ManualClock
from tests.stories.hostile.forgery import encode, json_bytes
from tests.unit.protocol.vectors import CLAIMS, FOLDER
from vestibule.client import CallerRefusedError, CannotTellError, SessionOverError, TokenInvalidError, wire
from vestibule.client import keys as kit_keys
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import KeyUnknownError
from vestibule.client.errors import NotReachedError
from vestibule.client.events import EventParser
from vestibule.client.feed_reader import FeedReader
from vestibule.client.memory import Memory
from vestibule.crypto import jwk
from vestibule.flows.feed_services import FeedEvent, Heartbeat, Hello
from vestibule.model import access_tokens
from vestibule.model.access_tokens import Issuer
from vestibule.model.errors import AccessTokenInvalid
from vestibule.model.revocations import Notice, RevocationKind
from vestibule.model.signing_keys import KeySet
from vestibule.protocol.claims import Expected
from vestibule.web.api.services import as_event

TOKENS: dict[str, Any] = json.loads((FOLDER / "tokens.json").read_text())
FEED: dict[str, Any] = json.loads((FOLDER / "feed.json").read_text())
KEYS = kit_keys.parse(TOKENS["jwks"])
EXPECTED = Expected(TOKENS["issuer"], TOKENS["audience"], TOKENS["leeway"])

ASKED = httpx.Request("GET", "http://auth.example.com")
each_token = pytest.mark.parametrize("vector", TOKENS["tokens"], ids=lambda vector: ascii(vector["name"]))
each_case = pytest.mark.parametrize("case", FEED["cases"], ids=lambda case: case["name"])


def test_there_are_vectors_of_both_kinds() -> None:
    assert {vector["accepted"] for vector in TOKENS["tokens"]} == {True, False}
    assert {check["outcome"] for case in FEED["cases"] for check in case["checks"]} == {
        *("in", "over", "stale", "invalid", "unknown")
    }


@each_token
def test_the_kit_judges_a_token_so(vector: dict[str, Any]) -> None:
    clock = ManualClock()
    clock.advance(seconds=TOKENS["now"] - clock.now().timestamp())
    memory = Memory(EXPECTED, "accept", FEED["staleness"], 10, clock)
    memory.revoked.renew(clock.monotonic())
    memory.keys = KEYS
    memory.revoked.renew(clock.monotonic())
    try:
        caller = memory.decide(vector["token"])
    except CallerRefusedError:
        assert not vector["accepted"]
    else:
        assert vector["accepted"]
        assert (caller.level, caller.authenticated_at) == (vector["level"], vector["auth_time"])


@each_token
def test_the_server_judges_a_token_so(vector: dict[str, Any]) -> None:
    issuer = Issuer(TOKENS["issuer"], TOKENS["audience"], timedelta(seconds=TOKENS["leeway"]))
    keys = KeySet(signing=jwk.generate(2048), checking=KEYS)
    try:
        token = access_tokens.read(vector["token"], issuer, keys, datetime.fromtimestamp(TOKENS["now"], UTC))
    except AccessTokenInvalid:
        assert not vector["accepted"]
    else:
        assert vector["accepted"]
        assert (token.level, token.authenticated_at) == (vector["level"], vector["auth_time"])


@each_case
def test_the_kit_lets_in_at_each_moment_whom_it_should(case: dict[str, Any]) -> None:
    clock = ManualClock()
    clock.advance(seconds=FEED["now"] - clock.now().timestamp())
    zero, reader = clock.monotonic(), EventParser()
    memory = Memory(EXPECTED, "refuse", FEED["staleness"], 10, clock)
    memory.keys = {"another": next(iter(KEYS.values()))}
    follower = FeedReader(
        memory.revoked, clock, lambda: None, on_keys=memory.listing.take, clocks=memory.clocks, expected=EXPECTED
    )
    for what in sorted([*heard_in(case), *case["checks"]], key=lambda one: one["at"]):
        clock.advance(seconds=zero + what["at"] - clock.monotonic())
        if "outcome" in what:
            assert outcome(memory, what) == what["outcome"]
        else:
            follower._sent_at, follower._nonce = zero + what["sent_at"], what.get("nonce", "")
            with suppress(NotReachedError):  # which ends the answer
                wire.require_not_cached(httpx.Response(200, headers=what.get("headers"), request=ASKED))
                for event in reader.feed(what["text"].encode()):
                    follower.handle(event)


def heard_in(case: dict[str, Any]) -> list[dict[str, Any]]:
    """What comes in a stream, and what answers polls, each with the moment at which it was asked for."""
    asked = {name: case[name] for name in ("sent_at", "nonce", "headers") if name in case}
    return [{**heard, **asked} for heard in case["stream"]] + case.get("polls", [])


def outcome(memory: Memory, check: dict[str, Any]) -> str:
    """How a token that says so fares, its signature being good, or its key not held."""
    if "kid" in check:
        return outcome_of_unknown_key(memory, check)
    caller = Caller(check["sub"], "user", check["sid"], check["iat"], check["iat"] + 900, {})
    memory._read = lambda _: caller  # type: ignore[method-assign]
    try:
        memory.decide("")
    except SessionOverError:
        return "over"
    except CannotTellError:
        return "stale"
    return "in"


def outcome_of_unknown_key(memory: Memory, check: dict[str, Any]) -> str:
    claims = {**CLAIMS, "sub": check["sub"], "iat": check["iat"], "exp": check["iat"] + 900}
    parts = [encode(json_bytes(part)) for part in ({"alg": "RS256", "kid": check["kid"], "typ": "at+jwt"}, claims)]
    try:
        memory.decide(".".join((*parts, "AAAA")))
    except KeyUnknownError:
        return "unknown"
    except TokenInvalidError:
        return "invalid"
    return "in"


@each_case
def test_the_server_tells_it_in_these_very_words(case: dict[str, Any]) -> None:
    for heard in heard_in(case):
        events = list(EventParser().feed(heard["text"].encode()))
        said = "".join(as_event(told(one.name, one.data, one.id), one.data.get("nonce", "")) for one in events)
        assert said == heard["text"]


def told(name: str, data: dict[str, Any], cursor: str | None) -> FeedEvent:
    """What the server meant."""
    if name == "hello":
        return Hello(data["now"], data["start"] == "whole", data.get("issuer", ""), data.get("audience", ""))
    if name == "heartbeat":
        return Heartbeat(
            data["true_at"], cursor or "", tuple(data.get("keys", ())), data.get("clock"), data.get("keys_at")
        )
    sessions = [Notice(RevocationKind.SESSION, sid, seconds) for sid, seconds in data.get("sessions", {}).items()]
    accounts = data.get("accounts", {}).items()
    return sessions + [Notice(RevocationKind.ACCOUNT, sub, seconds, mark) for sub, (mark, seconds) in accounts]
