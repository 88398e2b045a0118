"""Django's own users beside callers: who came without a token stays whom Django's session says."""

from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings

from tests.unit.client.asking import Ask
from tests.unit.client.django_site import IN_BOTH_ORDERS, with_async_django, with_django
from tests.unit.client.django_tables import Session, User, migrated, session_of, tables
from vestibule.client.testing import SignedIn

__all__ = ["migrated", "tables"]
pytestmark = pytest.mark.usefixtures("tables")
DJANGOS_USER, CALLER = {"user": "root", "kind": "User"}, {"user": "ada", "kind": "VestibuleUser"}


@pytest.fixture(params=IN_BOTH_ORDERS.values(), ids=IN_BOTH_ORDERS)
def _order(request: pytest.FixtureRequest) -> Iterator[None]:
    with override_settings(MIDDLEWARE=request.param):
        yield


@pytest.fixture
def root(_order: None) -> dict[str, str]:
    return session_of(User.objects.create_superuser("root", "root@example.com", "secret"))


on_both = pytest.mark.parametrize("service", [with_django, with_async_django])


@on_both
def test_k16_without_a_token_djangos_user_stays(service: Callable[[], Ask], root: dict[str, str]) -> None:
    ask = service()
    assert ask("/who", headers=root).json() == DJANGOS_USER
    assert ask("/task/who", headers=root).json() == DJANGOS_USER
    assert ask("/who").json()["user"] == ask("/task/who").json()["user"] == "AnonymousUser"
    assert ask("/django-admin/", headers=root).status_code == 200
    for path in ("/groups", "/task/groups", "/staff", "/task/staff", "/signed-in", "/task/signed-in"):
        assert ask(path, headers=root).text == "root"


@on_both
def test_the_guards_of_the_kit_ask_for_a_token(service: Callable[[], Ask], root: dict[str, str]) -> None:
    ask = service()
    for path in ("/me", "/task/me", "/admin", "/task/admin"):
        assert ask(path, headers=root).json()["code"] == "not_signed_in"


@on_both
def test_k16_with_a_token_the_caller_asks_and_the_session_stays_as_it_was(
    service: Callable[[], Ask], root: dict[str, str], vestibule: SignedIn
) -> None:
    ask, both = service(), {**root, **vestibule.headers(vestibule.token_for("ada", role="admin"))}
    before = Session.objects.get().session_data
    for path in ("/who", "/task/who"):
        assert ask(path, headers=both).json() == CALLER
    assert ask("/me", headers=both).json() == {"id": "ada"}
    assert ask("/django-admin/", headers=both).status_code == 302
    assert [ask(path, headers=both).status_code for path in ("/staff", "/groups", "/task/groups")] == [302, 403, 403]
    assert ask("/me", headers={**root, "Authorization": "Bearer x.y.z"}).status_code == 401
    assert Session.objects.get().session_data == before
    assert ask("/who", headers=root).json() == DJANGOS_USER
