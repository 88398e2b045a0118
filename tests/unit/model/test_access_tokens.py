"""Access tokens: every claim is needed, of its type and with its value, and time is kept to the second."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.harness.world import POLICY, key_ring
from vestibule.crypto import jws
from vestibule.model import access_tokens
from vestibule.model.accounts import Role
from vestibule.model.errors import AccessTokenInvalid
from vestibule.protocol.access_tokens import MAX_LIFETIME_SECONDS, TYP, AccessToken
from vestibule.protocol.authentication import Level

NOW = datetime(2026, 11, 23, 23, 9, 51, tzinfo=UTC)
KEYS = key_ring().access
ISSUER = POLICY.issuer
TOKEN = AccessToken(
    id="7f3c",
    account_id="ada",
    session_id="s1",
    role=Role.USER,
    issued_at=int(NOW.timestamp()),
    expires_at=int(NOW.timestamp()) + 900,
    email_verified=True,
    methods=("pwd", "otp", "mfa"),
    level=Level.TWO_FACTORS,
    authenticated_at=int(NOW.timestamp()) - 300,
)
CLAIMS: dict[str, Any] = {
    "iss": "vestibule",
    "aud": "vestibule",
    "sub": "ada",
    "sid": "s1",
    "jti": "7f3c",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 900,
    "role": "user",
    "email_verified": True,
    "auth_time": int(NOW.timestamp()) - 300,
    "amr": ["pwd", "otp", "mfa"],
    "acr": "urn:vestibule:2",
}
OPTIONAL = {"email_verified", "auth_time", "amr", "acr"}
NOT_FLAGS: tuple[Any, ...] = (None, 0, 1, "", "true", "false", [], {})
NOT_TEXTS: tuple[Any, ...] = (None, True, 0, 1, "", "pwd", {}, {"pwd": True}, [None], [1], ["pwd", 1], [["pwd"]])
NOT_TEXT: tuple[Any, ...] = (None, True, 0, 1, 1.5, [], {}, "", ["vestibule"], {"a": "b"})
NOT_INSTANTS: tuple[Any, ...] = (None, True, False, "", "1795475391", 1795475391.0, [], {}, -1, 2**40, 2**53 - 1, [1])
WRONG_VALUES: dict[str, tuple[Any, ...]] = {
    "iss": ("Vestibule", "vestibule ", "vestibul", "https://vestibule", "vestibule#refresh", ["vestibule"]),
    "aud": ("Vestibule", "vestibule ", "another", "vestibule#refresh", ["vestibule"], ["vestibule", "another"]),
    "role": ("root", "USER", "user ", "Role.USER", ["user"]),
    "iat": (0, int(NOW.timestamp()) + 31, int(NOW.timestamp()) - 3600, 253402300799, 253402300800),
    "exp": (0, int(NOW.timestamp()) - 31, int(NOW.timestamp()) + 3601, 253402300799, 253402300800),
}


def read(claims: dict[str, Any], now: datetime = NOW, typ: str = TYP) -> AccessToken:
    return access_tokens.read(jws.sign(claims, KEYS.signing, typ), ISSUER, KEYS, now)


def refused(claims: dict[str, Any], now: datetime = NOW) -> bool:
    try:
        read(claims, now)
    except AccessTokenInvalid:
        return True
    return False


def wrong_types(name: str) -> tuple[Any, ...]:
    if name in {"iat", "exp", "nbf", "auth_time"}:
        return NOT_INSTANTS
    return {"email_verified": NOT_FLAGS, "amr": NOT_TEXTS}.get(name, NOT_TEXT)


def test_a_token_says_what_was_signed() -> None:
    assert access_tokens.read(access_tokens.sign(TOKEN, ISSUER, KEYS), ISSUER, KEYS, NOW) == TOKEN


def test_the_claims_are_those_of_rfc_9068_and_no_others() -> None:
    assert jws.verify(access_tokens.sign(TOKEN, ISSUER, KEYS), KEYS.checking, "at+jwt") == CLAIMS
    assert read(CLAIMS) == TOKEN


@pytest.mark.parametrize("name", [name for name in CLAIMS if name not in OPTIONAL])
def test_no_claim_can_be_left_out(name: str) -> None:
    """T5: no claim can be left out."""
    assert refused({key: value for key, value in CLAIMS.items() if key != name})


@pytest.mark.parametrize("name", [*CLAIMS, "nbf"])
def test_no_claim_can_be_of_another_type(name: str) -> None:
    """T5: no claim can be of another type."""
    assert [value for value in wrong_types(name) if not refused({**CLAIMS, name: value})] == []


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_no_claim_can_have_another_value(name: str) -> None:
    """T5: no claim can have another value."""
    assert [value for value in WRONG_VALUES[name] if not refused({**CLAIMS, name: value})] == []


@pytest.mark.parametrize("name", ["sub", "sid", "jti"])
def test_no_text_can_hold_a_nul_which_no_database_could_look_up(name: str) -> None:
    assert refused({**CLAIMS, name: "a\0b"})


EDGES: dict[str, tuple[Callable[[datetime, datetime], datetime], bool]] = {
    "a second before the leeway ends": (lambda _, exp: exp + timedelta(seconds=29), True),
    "the last microsecond of the leeway": (lambda _, exp: exp + timedelta(seconds=30, microseconds=-1), True),
    "when the leeway ends": (lambda _, exp: exp + timedelta(seconds=30), False),
    "a second later": (lambda _, exp: exp + timedelta(seconds=31), False),
    "thirty seconds before it was issued": (lambda iat, _: iat - timedelta(seconds=30), True),
    "thirty-one seconds before": (lambda iat, _: iat - timedelta(seconds=31), False),
    "years later": (lambda _, exp: exp + timedelta(days=4000), False),
}


@pytest.mark.parametrize(("moment", "good"), EDGES.values(), ids=EDGES)
def test_time_is_kept_to_the_second(moment: Callable[[datetime, datetime], datetime], good: bool) -> None:
    """T6: time is kept to the second."""
    assert refused(CLAIMS, moment(NOW, NOW + timedelta(minutes=15))) is not good


def test_without_leeway_a_token_ends_when_it_says() -> None:
    """T6: without leeway a token ends when it says."""
    text = access_tokens.sign(TOKEN, ISSUER, KEYS)
    strict = replace(ISSUER, leeway=timedelta(0))
    assert access_tokens.read(text, strict, KEYS, NOW + timedelta(seconds=899)) == TOKEN
    with pytest.raises(AccessTokenInvalid):
        access_tokens.read(text, strict, KEYS, NOW + timedelta(seconds=900))


def test_a_lifetime_above_the_ceiling_is_refused_though_signed() -> None:
    """T6: a lifetime above the ceiling is refused though signed."""
    hour = MAX_LIFETIME_SECONDS
    assert hour == 3600
    assert read({**CLAIMS, "exp": CLAIMS["iat"] + hour}).expires_at == CLAIMS["iat"] + hour
    assert refused({**CLAIMS, "exp": CLAIMS["iat"] + hour + 1})
    assert refused({**CLAIMS, "iat": CLAIMS["iat"] - 86_400})


def test_a_token_that_ends_before_it_begins_is_refused() -> None:
    assert refused({**CLAIMS, "exp": CLAIMS["iat"] - 60})


def test_a_claim_that_nobody_asked_for_changes_nothing() -> None:
    assert read({**CLAIMS, "admin": True, "scope": "everything"}) == TOKEN


def test_a_token_that_says_nothing_of_its_sign_in_and_email_proves_the_least() -> None:
    token = read({name: value for name, value in CLAIMS.items() if name not in OPTIONAL})
    assert (token.email_verified, token.methods, token.level, token.authenticated_at) == (False, (), 1, 0)


@pytest.mark.parametrize(
    "acr", ["urn:vestibule:4", "urn:vestibule:0", "urn:vestibule:", "2", "3", "mfa", "URN:VESTIBULE:3"]
)
def test_a_level_that_is_not_known_is_the_lowest(acr: str) -> None:
    assert read({**CLAIMS, "acr": acr}).level == Level.ONE_FACTOR


@pytest.mark.parametrize("level", Level)
def test_a_level_is_read_as_it_was_signed(level: Level) -> None:
    token = replace(TOKEN, level=level)
    assert access_tokens.read(access_tokens.sign(token, ISSUER, KEYS), ISSUER, KEYS, NOW) == token


def test_t15_not_before_is_kept_with_the_leeway() -> None:
    """RFC 7519, section 4.1.5."""
    now = CLAIMS["iat"]
    assert read({**CLAIMS, "nbf": now - 3600}) == TOKEN
    assert read({**CLAIMS, "nbf": now + 30}) == TOKEN
    assert refused({**CLAIMS, "nbf": now + 31})
    assert not refused({**CLAIMS, "nbf": now + 31}, NOW + timedelta(seconds=1))


@pytest.mark.parametrize("typ", ["rt+jwt", "JWT", "AT+JWT", "application/at+jwt", ""])
def test_another_kind_of_token_is_refused(typ: str) -> None:
    with pytest.raises(AccessTokenInvalid):
        read(CLAIMS, typ=typ)


def test_a_key_of_another_server_is_refused() -> None:
    with pytest.raises(AccessTokenInvalid):
        access_tokens.read(jws.sign(CLAIMS, key_ring().refresh.signing, TYP), ISSUER, KEYS, NOW)
