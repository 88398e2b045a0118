"""Callers who have a row in the project's own user model, by the kit's authentication backend."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import authenticate, login
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory, override_settings

from tests.harness.clock import ManualClock
from tests.unit.client.asking import AUTH, Ask
from tests.unit.client.django_site import IN_BOTH_ORDERS, with_async_django, with_django, with_rest_framework
from tests.unit.client.django_tables import MODEL_BACKEND, Group, Permission, User, migrated, session_of, tables
from vestibule.client import Caller
from vestibule.client.django.backend import VestibuleBackend, hand_over
from vestibule.client.testing import SignedIn
from vestibule.client.throttled_warnings import EVERY_SECONDS, ThrottledWarnings

__all__ = ["migrated", "tables"]
pytestmark = pytest.mark.usefixtures("tables", "_settings")
on_both = pytest.mark.parametrize("service", [with_django, with_async_django])
CSRF = "c" * 32
BACKEND = "vestibule.client.django.backend.VestibuleBackend"


MADE_BEFOREHAND: dict[str, Callable[[], Any]] = {
    "with a password": lambda: User.objects.create_user("ada", password="of the attacker"),
    "without one, as by an invitation": lambda: User.objects.create_user("ada"),
    "by a sign-up that keeps no password": lambda: User.objects.create(username="ada"),
    "disabled": lambda: User.objects.create_user("ada", is_active=False),
}


class ByEmail(VestibuleBackend):
    """A project's own way: rows are made by hand, and found by what the token says."""

    def user_of(self, caller: Caller) -> Any:
        return User.objects.filter(email=f"{caller.id}@example.com").first()


def set_so(*, backend: str = BACKEND, **users: Any) -> Any:
    said = {"model": True, "permissions": {"editor": ["auth.*"]}, **users}
    return override_settings(
        VESTIBULE={**AUTH, "users": said},
        AUTHENTICATION_BACKENDS=[MODEL_BACKEND, backend],
        MIDDLEWARE=IN_BOTH_ORDERS["after Django's"],
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def _settings(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(VestibuleBackend, "warnings", ThrottledWarnings(clock))  # nothing was said a moment ago
    with set_so():
        yield


def bearer(vestibule: SignedIn, role: str = "user", user: str = "ada") -> dict[str, str]:
    return vestibule.headers(vestibule.token_for(user, role=role))


@on_both
def test_a_caller_has_a_row_from_the_first_request_on(service: Callable[[], Ask], vestibule: SignedIn) -> None:
    ask = service()
    for path in ("/who", "/task/who", "/who"):
        assert ask(path, headers=bearer(vestibule)).json() == {"user": "ada", "kind": "User"}
    assert ask("/me", headers=bearer(vestibule)).json() == {"id": "ada"}
    assert ask("/who").json()["user"] == "AnonymousUser"
    row = User.objects.get()
    assert (row.username, row.has_usable_password(), row.is_staff, row.is_superuser) == ("ada", False, False, False)


def test_in_the_other_order_too(vestibule: SignedIn) -> None:
    with override_settings(MIDDLEWARE=IN_BOTH_ORDERS["before Django's"]):
        for service in (with_django, with_async_django):
            for path in ("/who", "/task/who"):
                assert service()(path, headers=bearer(vestibule)).json() == {"user": "ada", "kind": "User"}


@on_both
def test_k16_a_row_that_the_project_has_disabled_lets_nobody_in(
    service: Callable[[], Ask], vestibule: SignedIn
) -> None:
    hand_over(User.objects.create_user("ada", is_active=False))
    for path in ("/me", "/task/me", "/who", "/rest/me"):
        answer = service()(path, headers=bearer(vestibule))
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    with override_settings(MIDDLEWARE=[]):  # where the guards check
        for path in ("/me", "/task/me", "/rest/me"):
            assert service()(path, headers=bearer(vestibule)).json()["code"] == "not_allowed"


@on_both
@pytest.mark.parametrize("made", MADE_BEFOREHAND.values(), ids=MADE_BEFOREHAND)
def test_k16_a_row_that_somebody_may_have_made_beforehand_is_not_taken(
    service: Callable[[], Ask],
    made: Callable[[], Any],
    vestibule: SignedIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made()
    before = User.objects.get().password
    with caplog.at_level(logging.WARNING, "vestibule.client"):
        for path in ("/me", "/task/me", "/who", "/rest/me"):
            assert service()(path, headers=bearer(vestibule)).status_code == 403
    assert "the user of account ada was not made for a caller" in caplog.text
    assert User.objects.get().password == before


def test_k16_a_row_that_is_handed_over_is_the_caller_s_alone(
    vestibule: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    row = User.objects.create_user("ada", password="of the attacker")
    session, link = session_of(row), default_token_generator.make_token(row)
    hand_over(row)
    assert with_django()("/who", headers=bearer(vestibule)).json() == {"user": "ada", "kind": "User"}
    assert with_django()("/who", headers=session).json()["user"] == "AnonymousUser"
    assert not default_token_generator.check_token(User.objects.get(), link)
    assert authenticate(None, username="ada", password="of the attacker") is None
    assert not User.objects.get().has_usable_password()


def test_a_row_that_gets_a_password_later_is_nobody_s_and_the_log_says_what_to_do(
    vestibule: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    assert with_django()("/me", headers=bearer(vestibule)).status_code == 200
    row = User.objects.get()
    row.set_password("her own")
    row.save()
    with caplog.at_level(logging.WARNING, "vestibule.client"):
        assert with_django()("/me", headers=bearer(vestibule)).status_code == 403
    assert "has got a password since" in caplog.text
    assert "hand_over(user)" in caplog.text


@on_both
def test_the_log_says_once_a_minute_that_a_row_is_nobody_s(
    service: Callable[[], Ask], clock: ManualClock, vestibule: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("ada", "bob"):
        User.objects.create_user(name)
    for minute in (1, 2):
        with caplog.at_level(logging.WARNING, "vestibule.client"):
            for name in ("ada", "bob", "ada"):
                assert service()("/who", headers=bearer(vestibule, user=name)).status_code == 403
        assert caplog.text.count("a caller was not let in: the user of account ada") == minute
        assert "account bob" not in caplog.text
        clock.advance(seconds=EVERY_SECONDS)


@on_both
def test_k16_a_row_follows_the_role_where_the_setting_names_roles(
    service: Callable[[], Ask], vestibule: SignedIn
) -> None:
    with set_so(staff_roles=["admin"], superuser_roles=["admin"]):
        ask = service()
        for role, admitted in (("user", False), ("admin", True), ("user", False)):
            status = ask("/django-admin/", headers=bearer(vestibule, role)).status_code
            row = User.objects.get()
            assert (status, row.is_staff, row.is_superuser) == (200 if admitted else 302, admitted, admitted)


def test_where_the_setting_names_no_roles_the_table_decides(vestibule: SignedIn) -> None:
    hand_over(User.objects.create_user("ada", is_staff=True))
    assert with_django()("/staff", headers=bearer(vestibule)).status_code == 200
    with set_so(staff_roles=[]):
        assert with_django()("/staff", headers=bearer(vestibule)).status_code == 302
    assert not User.objects.get().is_staff


@on_both
def test_permissions_are_those_of_the_role_and_of_the_row(service: Callable[[], Ask], vestibule: SignedIn) -> None:
    ask, group = service(), Group.objects.create(name="makers")
    group.permissions.add(Permission.objects.get(codename="add_group"))
    for path in ("/groups", "/task/groups"):
        assert ask(path, headers=bearer(vestibule, user="bob")).status_code == 403
        assert ask(path, headers=bearer(vestibule, "editor", "eve")).status_code == 200
    User.objects.get(username="bob").groups.add(group)
    for path in ("/groups", "/task/groups"):
        assert ask(path, headers=bearer(vestibule, user="bob")).status_code == 200


def test_a_row_says_what_its_role_may() -> None:
    editor = User.objects.create_user("eve")
    assert not editor.has_module_perms("blog")
    editor.vestibule_caller = Caller("eve", "editor", "s1", 0, 0, {})
    assert [editor.has_module_perms(label) for label in ("auth", "blog")] == [True, False]
    assert async_to_sync(editor.ahas_module_perms)("auth")
    assert "auth.view_group" in editor.get_all_permissions()


def test_the_log_of_djangos_admin_names_the_caller(vestibule: SignedIn) -> None:
    with set_so(staff_roles=["admin"], superuser_roles=["admin"]):
        ask, headers = with_django(), bearer(vestibule, "admin")
        sent = {"name": "makers", "csrfmiddlewaretoken": CSRF}
        made = ask(
            "/django-admin/auth/group/add/", "POST", headers=headers | {"Cookie": f"csrftoken={CSRF}"}, data=sent
        )
        assert made.status_code == 302
        assert User.objects.get().logentry_set.get().object_repr == "makers"
        assert "makers" in ask("/django-admin/", headers=headers).text


def test_k16_no_django_session_is_begun_for_a_caller(vestibule: SignedIn) -> None:
    """It would go on after the session at Vestibule has ended."""
    assert "set-cookie" not in with_django()("/me", headers=bearer(vestibule)).headers
    request = RequestFactory().get("/")
    request.session = SessionStore()
    user = authenticate(request, caller=Caller("ada", "user", "s1", 0, 0, {}))
    login(request, user)
    request.session.save()
    cookie = {"Cookie": f"sessionid={request.session.session_key}"}
    assert with_django()("/who", headers=cookie).json()["user"] == "AnonymousUser"


def test_a_project_finds_rows_in_its_own_way(vestibule: SignedIn) -> None:
    User.objects.create_user("Ada Lovelace", "ada@example.com", "a password of her own")
    with set_so(backend=f"{__name__}.ByEmail"):
        assert with_django()("/who", headers=bearer(vestibule)).json()["user"] == "Ada Lovelace"
        assert with_django()("/who", headers=bearer(vestibule, user="bob")).status_code == 403
        assert User.objects.count() == 1


def test_djangos_own_users_sign_in_by_password_as_before(vestibule: SignedIn) -> None:
    root = User.objects.create_superuser("root", "root@example.com", "secret")
    assert authenticate(None, username="root", password="secret") == root
    assert authenticate(None, username="root", password="wrong") is None
    assert with_django()("/django-admin/", headers=session_of(root)).status_code == 200


def test_the_rest_framework_has_the_row_too(vestibule: SignedIn) -> None:
    for middleware in (IN_BOTH_ORDERS["after Django's"], []):
        with override_settings(MIDDLEWARE=middleware):
            answer = with_rest_framework()("/who", headers=bearer(vestibule))
            assert answer.json() == {"user": "ada", "kind": "User", "auth": "ada"}
    User.objects.update(is_active=False)
    with override_settings(MIDDLEWARE=[]):
        assert with_rest_framework()("/who", headers=bearer(vestibule)).json()["code"] == "not_allowed"
