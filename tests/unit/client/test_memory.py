"""The decision itself: what is let in, what is not, and how old knowledge may be."""

import time

import pytest

from tests.harness.servers import SLACK_SECONDS
from tests.harness.world import key_ring
from tests.stories.hostile.forgery import Good
from tests.stories.hostile.tokens import hostile_tokens
from tests.unit.client.knowing import STALENESS, Knowing
from vestibule.client import CallerRefusedError, CannotTellError, NotAllowedError, SessionOverError, TokenInvalidError
from vestibule.client.caller_errors import KeyUnknownError
from vestibule.crypto import jwk, jws
from vestibule.model.accounts import Role


@pytest.fixture
def knowing() -> Knowing:
    return Knowing()


def test_a_good_token_is_a_caller_with_its_claims(knowing: Knowing) -> None:
    caller = knowing.memory.decide(knowing.token(role=Role.ADMIN))
    assert (caller.id, caller.role, caller.session) == ("ada", "admin", "s1")
    assert (caller.expires - knowing.clock.now()).total_seconds() == pytest.approx(900, abs=1)
    assert caller.claims["iss"] == "vestibule"
    with pytest.raises(TypeError):
        caller.claims["role"] = "user"  # type: ignore[index]
    caller.require("user", "admin")
    with pytest.raises(NotAllowedError):
        caller.require("user")


def test_every_hostile_token_is_refused_as_invalid(knowing: Knowing) -> None:
    keys = key_ring().access
    good = Good(keys.signing, "at+jwt", jws.verify(knowing.token(), keys.checking, "at+jwt"))
    # The server knows which roles there are; a service takes the server's word for it.
    table = {name: token for name, token in hostile_tokens(good, "http://127.0.0.1:1").items() if "role" not in name}
    assert len(table) > 200
    knowing.memory.keys_as_of = float("inf")  # a key that is not held is none
    assert outcomes(knowing, table.values()) == {TokenInvalidError}


def outcomes(knowing: Knowing, tokens: object) -> set[type[CallerRefusedError] | None]:
    """How all of them ended."""
    found: set[type[CallerRefusedError] | None] = set()
    for token in tokens:  # type: ignore[attr-defined]
        try:
            knowing.memory.decide(token)
            found.add(None)
        except TokenInvalidError:
            found.add(TokenInvalidError)
        except CallerRefusedError as refusal:
            found.add(type(refusal))
    return found


def test_a_key_that_is_not_in_the_set_is_told_apart(knowing: Knowing) -> None:
    token, stranger = knowing.token(), jwk.generate(2048)
    knowing.memory.keys = {stranger.kid: stranger.public}
    with pytest.raises(KeyUnknownError):
        knowing.memory.decide(token)
    with pytest.raises(TokenInvalidError):
        knowing.memory.decide("a.b.c")


def test_before_the_first_look_it_cannot_tell(knowing: Knowing) -> None:
    token, knowing.memory.keys = knowing.token(), {}
    with pytest.raises(CannotTellError):
        knowing.memory.decide(token)


@pytest.mark.parametrize("seen", [False, True])
def test_a_token_ends_when_it_says_so_whether_it_was_seen_before_or_not(knowing: Knowing, seen: bool) -> None:
    token = knowing.token()
    if seen:
        knowing.memory.decide(token)
    knowing.clock.advance(seconds=931)
    knowing.memory.revoked.renew(knowing.clock.monotonic())
    with pytest.raises(TokenInvalidError):
        knowing.memory.decide(token)


def test_an_ended_session_is_refused_and_its_neighbour_is_not(knowing: Knowing) -> None:
    ended, other = knowing.token(session_id="s1"), knowing.token(session_id="s2")
    knowing.memory.decide(ended)
    knowing.memory.revoked.learn({"sessions": {"s1": 960}}, knowing.clock.monotonic())
    with pytest.raises(SessionOverError):
        knowing.memory.decide(ended)
    assert knowing.memory.decide(other).session == "s2"


def test_an_account_is_refused_up_to_a_moment_and_not_after_it(knowing: Knowing) -> None:
    earlier = knowing.token()
    knowing.clock.advance(seconds=2)
    mark = int(knowing.clock.now().timestamp())
    later = knowing.token(session_id="s2")
    knowing.memory.revoked.learn({"accounts": {"ada": [mark, 960]}}, knowing.clock.monotonic())
    knowing.memory.revoked.learn({"accounts": {"ada": [mark - 100, 10]}}, knowing.clock.monotonic())
    with pytest.raises(SessionOverError):
        knowing.memory.decide(earlier)
    assert knowing.memory.decide(later).session == "s2"


def test_what_no_token_can_be_about_is_forgotten(knowing: Knowing) -> None:
    revoked = knowing.memory.revoked
    revoked.learn({"sessions": {"s1": 10, "s2": 1000}, "accounts": {"ada": [0, 10]}}, knowing.clock.monotonic())
    knowing.clock.advance(seconds=61)
    revoked.purge(knowing.clock.monotonic())
    assert len(revoked) == 1


@pytest.mark.parametrize("policy", ["refuse", "ask", "accept"])
def test_stale_knowledge_lets_in_only_where_that_was_chosen(policy: str) -> None:
    knowing = Knowing(policy)  # type: ignore[arg-type]
    token, over = knowing.token(), knowing.token(session_id="over")
    knowing.memory.revoked.learn({"sessions": {"over": 960}}, knowing.clock.monotonic())
    knowing.clock.advance(seconds=STALENESS)
    assert knowing.memory.decide(token).id == "ada"
    knowing.clock.advance(seconds=0.1)
    if policy == "accept":
        assert knowing.memory.decide(token).id == "ada"
    else:
        with pytest.raises(CannotTellError):
            knowing.memory.decide(token)
    with pytest.raises(SessionOverError):
        knowing.memory.decide(over)


def test_the_memory_of_tokens_is_bounded(knowing: Knowing) -> None:
    small = Knowing(remembered=2)
    tokens = [small.token(session_id=f"s{number}") for number in range(3)]
    for token in tokens:
        small.memory.decide(token)
    assert [caller.session for caller in small.memory._callers.values() if caller] == ["s1", "s2"]


def test_tokens_that_have_expired_are_dropped_once_a_minute(knowing: Knowing) -> None:
    memory, clock = knowing.memory, knowing.clock
    old = [knowing.token(session_id=f"old{number}") for number in range(3)]
    for token in old:
        memory.decide(token)
    clock.advance(seconds=600)
    memory.revoked.renew(clock.monotonic())
    assert memory.decide(knowing.token(session_id="new"))
    clock.advance(seconds=329)
    memory.purge()
    assert len(memory._callers) == 4, "within the leeway they are good"
    clock.advance(seconds=1)
    memory.purge()
    assert len(memory._callers) == 4, "once a minute"
    clock.advance(seconds=60)
    memory.purge()
    assert [caller.session for caller in memory._callers.values() if caller] == ["new"]


def test_k2_what_a_withdrawn_key_has_signed_is_refused_from_memory_too(knowing: Knowing) -> None:
    token, stranger = knowing.token(), jwk.generate(2048)
    assert knowing.memory.decide(token).id == "ada"
    knowing.memory.keys = {stranger.kid: stranger.public}
    with pytest.raises(KeyUnknownError):
        knowing.memory.decide(token)


def test_what_vestibule_calls_worthless_stays_so_when_the_feed_is_fresh_again(knowing: Knowing) -> None:
    token = knowing.token()
    knowing.memory.end(token)
    assert knowing.memory.decide(token).id == "ada", "a token that was never read here takes no room"
    knowing.memory.end(token)
    with pytest.raises(SessionOverError):
        knowing.memory.decide(token)


def test_awkward_text_is_refused_and_nothing_worse(knowing: Knowing) -> None:
    begun = time.monotonic()
    awkward = ["", ".", "..", "...", "\0", "\ud800.a.b", "é.é.é", "a" * 8192, "." * 8192, "a.b." + "c" * 9000]
    assert outcomes(knowing, awkward) == {TokenInvalidError}
    assert time.monotonic() - begun < SLACK_SECONDS
