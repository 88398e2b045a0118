"""Django REST framework: its own permission classes decide by the caller's role."""

from typing import Any

import pytest
from django.test import override_settings

from tests.unit.client.asking import AUTH
from tests.unit.client.django_site import OURS, with_rest_framework
from vestibule.client import (
    CallerRefusedError,
    CannotTellError,
    CredentialAmbiguousError,
    CrossSiteError,
    NotAllowedError,
    NoTokenError,
    SessionOverError,
    TokenInvalidError,
    Verifier,
)
from vestibule.client.testing import SignedIn

with_and_without = pytest.mark.parametrize("middleware", [[], [OURS]], ids=["alone", "with the middleware"])


def set_so(middleware: list[str], **users: Any) -> Any:
    without_admin = [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages")]
    return override_settings(VESTIBULE={**AUTH, "users": users}, MIDDLEWARE=middleware, INSTALLED_APPS=without_admin)


@with_and_without
def test_k16_is_admin_user_and_model_permissions_decide_by_the_role(middleware: list[str], vestibule: SignedIn) -> None:
    with set_so(middleware, staff_roles=["admin"], permissions={"editor": ["auth.add_group"]}):
        ask = with_rest_framework()
        for role, staff, post in (("user", 403, 403), ("admin", 200, 403), ("editor", 403, 201)):
            headers = vestibule.headers(vestibule.token_for("ada", role=role))
            assert ask("/staff", headers=headers).status_code == staff
            assert ask("/groups", headers=headers).status_code == 200
            assert ask("/groups", method="POST", headers=headers).status_code == post
        assert [ask(path).status_code for path in ("/staff", "/groups")] == [401, 401]


@with_and_without
def test_user_and_caller_are_those_of_the_token(middleware: list[str], vestibule: SignedIn) -> None:
    with set_so(middleware):
        answer = with_rest_framework()("/who", headers=vestibule.headers(vestibule.token_for("ada")))
        assert answer.json() == {"user": "ada", "kind": "VestibuleUser", "auth": "ada"}


BEARER = "Authorization"
REFUSALS: dict[str, tuple[type[CallerRefusedError], str, dict[str, str]]] = {
    "nothing sent": (NoTokenError, "GET", {}),
    "no token of ours": (TokenInvalidError, "GET", {BEARER: "Bearer a.b.c"}),
    "a session that ended": (SessionOverError, "GET", {BEARER: "Bearer {over}"}),
    "two headers": (CredentialAmbiguousError, "GET", {BEARER: "Bearer {good}, Bearer {good}"}),
    "another site": (CrossSiteError, "POST", {"Cookie": "access_token={good}"}),
    "not the role": (NotAllowedError, "GET", {BEARER: "Bearer {good}"}),
    "stale": (CannotTellError, "GET", {BEARER: "Bearer {good}"}),
}


@with_and_without
@pytest.mark.parametrize(("kind", "method", "sent"), REFUSALS.values(), ids=REFUSALS)
def test_every_refusal_has_its_status_headers_and_body(
    kind: type[CallerRefusedError], method: str, sent: dict[str, str], middleware: list[str], vestibule: SignedIn
) -> None:
    """A 503 was a 500 without the middleware: the framework writes `Retry-After` as a number."""
    good, over = vestibule.token_for("ada"), vestibule.token_for("bob")
    vestibule.revoke(over)
    if kind is CannotTellError:
        vestibule.make_stale()
    headers = {name: value.format(good=good, over=over) for name, value in sent.items()}
    with set_so(middleware):
        path = "/admin" if kind is NotAllowedError else "/me"
        answer = with_rest_framework()(path, method=method, headers=headers)
    expected = kind()
    assert (answer.status_code, answer.json()) == (expected.status, expected.body)
    assert {name: answer.headers.get(name) for name in expected.headers} == expected.headers
    assert answer.headers.get("WWW-Authenticate") == expected.challenge


def test_what_the_middleware_has_checked_is_not_checked_again(
    vestibule: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    check = Verifier.check

    def counted(verifier: Verifier, token: str) -> Any:
        checked.append(token)
        return check(verifier, token)

    monkeypatch.setattr(Verifier, "check", counted)
    headers = vestibule.headers(vestibule.token_for("ada"))
    for middleware in ([OURS], []):
        with set_so(middleware):
            assert with_rest_framework()("/me", headers=headers).json() == {"id": "ada"}
    assert len(checked) == 2
