"""A second factor and a recent sign-in, demanded in every framework: who is let in, and what a refusal asks for."""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.unit.client.asking import Ask
from tests.unit.client.knowing import EXPECTED, Knowing
from tests.unit.client.stepping_up import IN_CODE, WITH_GUARDS
from vestibule.client import Caller, Verifier
from vestibule.protocol.authentication import Level

LEEWAY = int(EXPECTED.leeway)
CODE = "insufficient_user_authentication"
ONE, TWO, THREE = Level
NOW, OLD = 0, 300 + LEEWAY
ACR, AGE = {"acr_values": "urn:vestibule:2"}, {"max_age": 300}
FACTOR, AGAIN, BOTH = (
    "Please sign in with a second factor to do this",
    "Please sign in again to do this",
    "Please sign in again with a second factor to do this",
)


@dataclass(frozen=True)
class Row:
    """A request, by somebody who signed in `age` seconds ago, and its answer."""

    path: str
    level: Level = ONE
    age: int = NOW
    role: str = "user"
    code: str = ""
    message: str = ""
    asked: dict[str, Any] = field(default_factory=dict)


def lacks(path: str, level: Level, age: int, message: str, asked: dict[str, Any], role: str = "user") -> Row:
    return Row(path, level, age, role, CODE, message, asked)


ROWS = {
    "level met": Row("/level", TWO, OLD),
    "level exceeded": Row("/level", THREE, OLD),
    "level too low": lacks("/level", ONE, NOW, FACTOR, ACR),
    "recent": Row("/recent"),
    "recent within the leeway": Row("/recent", age=OLD - 1),
    "in the future within the leeway": Row("/recent", age=-LEEWAY),
    "too old": lacks("/recent", THREE, OLD, AGAIN, AGE),
    "in the future": lacks("/recent", THREE, -LEEWAY - 1, AGAIN, AGE),
    "both met": Row("/both", TWO),
    "both: level too low": lacks("/both", ONE, NOW, FACTOR, ACR),
    "both: too old": lacks("/both", TWO, OLD, AGAIN, AGE),
    "all met": Row("/all", TWO, role="admin"),
    "all: level too low": lacks("/all", ONE, NOW, FACTOR, ACR, "admin"),
    "all: too old": lacks("/all", TWO, OLD, AGAIN, AGE, "admin"),
    "all: role missing": Row("/all", TWO, code="not_allowed"),
    "all: role and level missing": Row("/all", ONE, code="not_allowed"),
    "all: role missing and too old": Row("/all", TWO, OLD, code="not_allowed"),
    "all: everything missing": Row("/all", ONE, OLD, code="not_allowed"),
}
AT_ONCE = {
    "both: neither": lacks("/both", ONE, OLD, BOTH, ACR | AGE),
    "all: level too low and too old": lacks("/all", ONE, OLD, BOTH, ACR | AGE, "admin"),
}
"""What guards of one route ask for in one refusal."""


@pytest.fixture
def knowing(monkeypatch: pytest.MonkeyPatch) -> Knowing:
    """What the services know, under a clock that stands still."""
    known = Knowing()

    def decide(_verifier: Verifier, token: str) -> Caller:
        return known.memory.decide(token)

    monkeypatch.setattr(Verifier, "_decide", decide)
    monkeypatch.setattr(Verifier, "_may_learn_more", lambda _verifier, _refusal: False)
    return known


@pytest.fixture
def ask(request: pytest.FixtureRequest) -> Ask:
    return (WITH_GUARDS | IN_CODE)[request.param]()


def bearer(knowing: Knowing, row: Row) -> dict[str, str]:
    at = int(knowing.clock.now().timestamp()) - row.age
    return {"Authorization": f"Bearer {knowing.token(level=row.level, role=row.role, authenticated_at=at)}"}


def quoted(challenge: str) -> dict[str, str]:
    """The parameters of the one challenge in a header (RFC 9110, section 11.6.1)."""
    scheme, _, parameters = challenge.partition(" ")
    assert scheme == "Bearer"
    found = re.findall(r'(\w+)="([^"\\]*)"', parameters)
    assert ", ".join(f'{name}="{value}"' for name, value in found) == parameters
    return dict(found)


def hold(ask: Ask, knowing: Knowing, row: Row) -> None:
    answer = ask(row.path, headers=bearer(knowing, row))
    if not row.code:
        assert (answer.status_code, answer.json()["id"]) == (200, "ada")
        return
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (401 if row.code == CODE else 403, "fail", row.code)
    assert answer.headers["cache-control"] == "no-store"
    assert "Authorization" in answer.headers["vary"]
    if row.code == CODE:
        assert body == {"status": "fail", "code": CODE, "message": row.message, **row.asked}
        (challenge,) = answer.headers.get_list("www-authenticate")
        asked = {name: str(value) for name, value in row.asked.items()}
        assert quoted(challenge) == {
            "realm": "vestibule",
            "error": CODE,
            "error_description": row.message,
            **asked,
        }


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("ask", WITH_GUARDS | IN_CODE, indirect=True)
def test_k45_a_route_lets_in_who_signed_in_as_it_demands(ask: Ask, knowing: Knowing, row: Row) -> None:
    hold(ask, knowing, row)


@pytest.mark.parametrize("row", AT_ONCE.values(), ids=AT_ONCE)
@pytest.mark.parametrize("ask", WITH_GUARDS, indirect=True)
def test_k45_one_refusal_asks_for_all_that_the_guards_of_a_route_demand(ask: Ask, knowing: Knowing, row: Row) -> None:
    hold(ask, knowing, row)


@pytest.mark.parametrize("path", ["/level", "/recent", "/both", "/all"])
@pytest.mark.parametrize("ask", WITH_GUARDS | IN_CODE, indirect=True)
def test_k45_without_a_token_nobody_is_asked_for_a_second_factor(ask: Ask, knowing: Knowing, path: str) -> None:
    for headers, code in (({}, "not_signed_in"), ({"Authorization": "Bearer a.b.c"}, "access_token_invalid")):
        answer = ask(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert CODE not in answer.headers["www-authenticate"]


@pytest.mark.parametrize("ask", WITH_GUARDS | IN_CODE, indirect=True)
def test_k45_a_token_that_tells_neither_is_of_one_factor_and_long_ago(ask: Ask, knowing: Knowing) -> None:
    """Also where the machine's clock says 1970, a few seconds after the moment that stands for an unknown one."""
    for path, asked in (("/level", ACR), ("/recent", AGE)):
        answer = ask(path, headers={"Authorization": f"Bearer {knowing.token()}"})
        assert (answer.status_code, answer.json().get(next(iter(asked)))) == (401, next(iter(asked.values())))
    knowing.clock.advance(seconds=10 - knowing.clock.now().timestamp())
    knowing.memory.revoked.renew(knowing.clock.monotonic())
    answer = ask("/recent", headers={"Authorization": f"Bearer {knowing.token()}"})
    assert (answer.status_code, answer.json()["code"]) == (401, CODE)


@pytest.mark.parametrize("ask", WITH_GUARDS | IN_CODE, indirect=True)
def test_k45_each_token_of_a_session_counts_by_itself(ask: Ask, knowing: Knowing) -> None:
    """K45: one from before a step-up gains nothing by it, though both are remembered."""
    early, late = bearer(knowing, Row("", ONE)), bearer(knowing, Row("", TWO))
    for _ in range(2):
        assert [ask("/both", headers=headers).status_code for headers in (late, early, late)] == [200, 401, 200]
    knowing.clock.advance(seconds=OLD)
    knowing.memory.revoked.renew(knowing.clock.monotonic())
    assert ask("/both", headers=late).json()["max_age"] == 300
