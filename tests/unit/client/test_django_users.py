"""What a caller is to Django."""

from collections.abc import Callable

import pytest

from tests.unit.client.asking import Ask
from tests.unit.client.django_site import AnonymousUser, with_async_django, with_django
from vestibule.client import Caller
from vestibule.client import django as for_django
from vestibule.client.testing import SignedIn

# What writes to Django's tables, or reads them: there are none.
IN_TABLES = {"save", "delete", "set_password", "check_password", "groups", "user_permissions"}


def test_a_django_user_has_the_members_that_django_asks_for() -> None:
    wanted = {name for name in dir(AnonymousUser) if not name.startswith("_")} - IN_TABLES
    caller = Caller("ada", "admin", "s1", 0, 0, {}, email_verified=True)
    for user in (for_django.Nobody(), for_django.VestibuleUser(caller)):
        assert wanted - set(dir(user)) == set()
        assert not any((user.is_staff, user.is_superuser, user.has_perm("x.y"), user.has_module_perms("x")))
        assert (user.has_perms([]), user.has_perms(["x.y"])) == (True, False)
    assert (str(for_django.Nobody()), str(for_django.VestibuleUser(caller))) == ("AnonymousUser", "ada")
    assert for_django.VestibuleUser(caller).email_verified


@pytest.mark.parametrize("service", [with_django, with_async_django])
def test_djangos_own_admin_is_answered_and_lets_no_caller_in(service: Callable[[], Ask], vestibule: SignedIn) -> None:
    ask = service()
    for headers in ({}, vestibule.headers(vestibule.token_for("ada", role="admin"))):
        assert ask("/django-admin/", headers=headers).headers["location"].startswith("/django-admin/login/")
        assert ask("/django-admin/login/", headers=headers).status_code == 200
