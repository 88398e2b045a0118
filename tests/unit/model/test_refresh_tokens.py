"""Refresh tokens: the session's state as a signed counter, and never mistaken for an access token."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.harness.world import POLICY, key_ring
from vestibule.crypto import jws
from vestibule.model import access_tokens, refresh_tokens
from vestibule.model.accounts import Role
from vestibule.model.errors import AccessTokenInvalid, RefreshRefused
from vestibule.model.refresh_tokens import TYP, RefreshToken
from vestibule.model.sessions import Device, Session, begin
from vestibule.model.signing_keys import KeySet
from vestibule.protocol.access_tokens import TYP as AT_TYP
from vestibule.protocol.access_tokens import AccessToken

NOW = datetime(2026, 11, 23, 23, 9, 51, tzinfo=UTC)
KEYS = key_ring().refresh
ISSUER = POLICY.issuer
SESSION = begin("s1", "ada", Device("a browser", "192.0.2.7"), POLICY.sessions, NOW)
CLAIMS: dict[str, Any] = {
    "iss": "vestibule",
    "aud": "vestibule#refresh",
    "sid": "s1",
    "n": 1,
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 3600,
    "auth_time": int(NOW.timestamp()),
    "amr": ["pwd"],
}
# A version that could not step up left them out.
OPTIONAL = {"auth_time", "amr"}
TOKEN = RefreshToken("s1", 1, methods=("pwd",), authenticated_at=CLAIMS["auth_time"])
WRONG: dict[str, tuple[Any, ...]] = {
    "iss": (None, 1, "", "another", "vestibule#refresh", ["vestibule"]),
    "aud": (None, 1, "", "vestibule", "another", ["vestibule#refresh"]),
    "sid": (None, 1, "", [], {}, ["s1"], True, "s\0001"),
    "n": (None, 0, -1, 1.0, "1", True, False, [], [1], {}),
    "iat": (None, "1", True, 1.5, -1, [], int(NOW.timestamp()) + 31, 2**40, 253402300799, 253402300800),
    "exp": (None, "1", True, 1.5, -1, [], int(NOW.timestamp()) - 31, 2**40, 253402300799, 253402300800),
    "auth_time": (None, "1", True, 1.5, -1, [], 2**40, 253402300800),
    "amr": (None, "pwd", 1, True, {}, [1], [["pwd"]], [None]),
}


def read(claims: dict[str, Any], now: datetime = NOW) -> RefreshToken:
    return refresh_tokens.read(jws.sign(claims, KEYS.signing, TYP), ISSUER, KEYS, now)


def refused(claims: dict[str, Any], now: datetime = NOW) -> bool:
    """Whether it opens nothing: no token of ours, or one that only explains why a session ended."""
    try:
        return read(claims, now).expired
    except RefreshRefused:
        return True


def sign(session: Session, keys: KeySet = KEYS) -> str:
    return refresh_tokens.sign(session, ISSUER, keys)


def test_the_same_state_gives_the_same_text() -> None:
    again = replace(SESSION)
    read_back = replace(SESSION, last_seen_at=NOW + timedelta(seconds=5), device=Device("", ""))
    assert sign(SESSION) == sign(again) == sign(read_back)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "s2"},
        {"current": 2},
        {"issued_at": NOW + timedelta(seconds=1)},
        {"idle_expires_at": NOW},
        {"authenticated_at": NOW + timedelta(seconds=1)},
        {"methods": ("pwd", "otp", "mfa")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_state_gives_another_text(change: dict[str, Any]) -> None:
    assert sign(replace(SESSION, **change)) != sign(SESSION)


def test_a_token_says_which_session_and_which_counter() -> None:
    assert refresh_tokens.read(sign(replace(SESSION, current=7)), ISSUER, KEYS, NOW) == replace(TOKEN, counter=7)


def test_the_claims_are_those_and_no_others() -> None:
    assert jws.verify(sign(SESSION), KEYS.checking, "rt+jwt") == CLAIMS
    assert read(CLAIMS) == TOKEN


@pytest.mark.parametrize("name", sorted(CLAIMS.keys() - OPTIONAL))
def test_no_claim_can_be_left_out(name: str) -> None:
    assert refused({key: value for key, value in CLAIMS.items() if key != name})


def test_f21_successors_say_how_the_holder_of_the_token_authenticated() -> None:
    """F21: not how the session did meanwhile; one that does not say is of a password, when the session began."""
    stepped_up = replace(SESSION, methods=("pwd", "otp", "mfa"), authenticated_at=NOW + timedelta(hours=1), current=7)
    silent = read({key: value for key, value in CLAIMS.items() if key not in OPTIONAL})
    for token in (read(CLAIMS), silent, read({**CLAIMS, "amr": []})):
        assert token.presented_for(stepped_up) == replace(SESSION, current=7)
    later = refresh_tokens.read(sign(stepped_up), ISSUER, KEYS, NOW)
    assert later.presented_for(replace(stepped_up, current=1)) == replace(stepped_up, current=1)
    assert later.presented_for(SESSION) == replace(stepped_up, methods=("pwd", "otp"), current=1)  # its factor is gone


@pytest.mark.parametrize("name", WRONG)
def test_no_claim_can_be_wrong(name: str) -> None:
    assert [value for value in WRONG[name] if not refused({**CLAIMS, name: value})] == []


def test_time_is_kept_to_the_second() -> None:
    end = SESSION.idle_expires_at
    assert not refused(CLAIMS, end + timedelta(seconds=29))
    assert refused(CLAIMS, end + timedelta(seconds=30))
    assert not refused(CLAIMS, NOW - timedelta(seconds=30))
    assert refused(CLAIMS, NOW - timedelta(seconds=31))


def test_neither_kind_is_taken_for_the_other_even_under_one_key() -> None:
    """T4, R6: neither kind is taken for the other even under one key."""
    access = AccessToken("j1", "ada", "s1", Role.USER, int(NOW.timestamp()), int(NOW.timestamp()) + 900)
    for keys in (key_ring().access, key_ring().refresh):
        with pytest.raises(AccessTokenInvalid):
            access_tokens.read(sign(SESSION, keys), ISSUER, keys, NOW)
        with pytest.raises(RefreshRefused):
            refresh_tokens.read(access_tokens.sign(access, ISSUER, keys), ISSUER, keys, NOW)


def test_the_claims_of_the_one_in_the_type_of_the_other_are_no_token() -> None:
    both = {**CLAIMS, "sub": "ada", "jti": "j1", "role": "user", "exp": CLAIMS["iat"] + 900}
    for claims in (both, {**both, "aud": ISSUER.audience}):
        for typ in (TYP, AT_TYP):
            text = jws.sign(claims, KEYS.signing, typ)
            good = typ == TYP and claims["aud"] == ISSUER.refresh_expected.audience
            assert taken_for_refresh(text) is good
            assert taken_for_access(text) is (typ == AT_TYP and claims["aud"] == ISSUER.audience)


def taken_for_refresh(text: str) -> bool:
    try:
        refresh_tokens.read(text, ISSUER, KEYS, NOW)
    except RefreshRefused:
        return False
    return True


def taken_for_access(text: str) -> bool:
    try:
        access_tokens.read(text, ISSUER, KEYS, NOW)
    except AccessTokenInvalid:
        return False
    return True
