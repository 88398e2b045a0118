"""Django REST framework: its own permission classes decide by the caller's role."""

from typing import Any

import pytest
from django.test import override_settings

from tests.unit.client.asking import AUTH
from tests.unit.client.django_site import OURS, with_rest_framework
from vestibule.client import Verifier
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
