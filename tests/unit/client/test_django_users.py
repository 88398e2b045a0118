"""What a caller may do in Django: what the setting says of the role, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from tests.unit.client.asking import AUTH, Ask
from tests.unit.client.django_site import with_async_django, with_django
from tests.unit.client.django_tables import AnonymousUser, Group
from vestibule.client import Caller
from vestibule.client.django import Nobody, VestibuleMiddleware, VestibuleUser
from vestibule.client.testing import SignedIn

# What writes to Django's tables, or reads them: there are none.
IN_TABLES = {"save", "delete", "set_password", "check_password", "groups", "user_permissions"}
PERMISSIONS = {"editor": ["auth.*", "blog.view_post"], "reader": ["auth.view_*"]}
on_both = pytest.mark.parametrize("service", [with_django, with_async_django])
WITHOUT_ADMIN = [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages")]


def with_users(**users: Any) -> Any:
    return override_settings(VESTIBULE={**AUTH, "users": users}, INSTALLED_APPS=WITHOUT_ADMIN)


def user(role: str) -> VestibuleUser:
    return VestibuleUser(Caller("ada", role, "s1", 0, 0, {}, email_verified=True))


def test_a_user_has_the_members_that_django_asks_for() -> None:
    wanted = {name for name in dir(AnonymousUser) if not name.startswith("_")} - IN_TABLES
    for each in (Nobody(), user("admin")):
        assert wanted - set(dir(each)) == set()
    assert (str(Nobody()), str(user("admin"))) == ("AnonymousUser", "ada")
    assert user("admin").email_verified
    assert (user("admin") == user("user"), Nobody() == Nobody(), user("admin") == Nobody()) == (True, True, False)


@pytest.mark.parametrize(
    "users", [{}, {"staff_roles": ["boss"], "superuser_roles": ["boss"], "permissions": PERMISSIONS}]
)
async def test_k16_a_role_that_the_setting_does_not_name_gives_nothing(users: dict[str, Any]) -> None:
    with with_users(**users):
        for each in (Nobody(), user("admin"), user("user")):
            assert not any((each.is_staff, each.is_superuser, each.has_perm("auth.view_group")))
            assert not any((each.has_module_perms("auth"), await each.ahas_module_perms("auth")))
            assert (each.has_perms([]), each.has_perms(["auth.view_group"])) == (True, False)
            assert (await each.ahas_perms([]), await each.ahas_perm("auth.view_group")) == (True, False)
            assert each.get_all_permissions() == await each.aget_all_permissions() == set()


async def test_k16_a_role_has_the_permissions_that_the_setting_names() -> None:
    with with_users(permissions=PERMISSIONS):
        editor, reader = user("editor"), user("reader")
        assert editor.has_perms(["auth.add_group", "auth.view_group", "blog.view_post"])
        assert await editor.ahas_perms(["auth.add_group", "blog.view_post"])
        assert not any(editor.has_perm(name) for name in ("blog.add_post", "authority.x", "auth", "blog.view_posts"))
        assert [each.has_perm("auth.add_group") for each in (editor, reader)] == [True, False]
        assert [editor.has_module_perms(label) for label in ("auth", "blog", "admin")] == [True, True, False]
        assert reader.get_all_permissions() == await reader.aget_group_permissions()
        assert reader.get_all_permissions() == {"auth.view_group", "auth.view_permission", "auth.view_user"}
        assert {"blog.view_post", "auth.delete_user"} < editor.get_all_permissions()
        assert editor.get_user_permissions() == await editor.aget_user_permissions() == set()


def test_k16_about_one_object_a_superuser_alone_has_a_permission() -> None:
    with with_users(superuser_roles=["admin"], permissions=PERMISSIONS):
        assert [user(role).has_perm("auth.add_group", Group()) for role in ("admin", "editor")] == [True, False]
        assert user("editor").get_all_permissions(Group()) == set()
        assert user("admin").has_perms(["anything.at_all"])
        assert "auth.delete_user" in user("admin").get_all_permissions()


def test_a_text_is_no_list_of_permissions() -> None:
    with pytest.raises(ValueError, match="takes a list"):
        user("admin").has_perms("auth.view_group")


@pytest.mark.parametrize(
    ("users", "told"),
    [
        ({"staff_role": ["admin"]}, "has these members alone"),
        ([], "has these members alone"),
        ({"staff_roles": "admin"}, "other than a list in `staff_roles`"),
        ({"superuser_roles": [""]}, "other than names in `superuser_roles`"),
        ({"superuser_roles": [None]}, "other than names in `superuser_roles`"),
        ({"permissions": ["auth.*"]}, "a dict as `permissions`"),
        ({"permissions": {"editor": "auth.*"}}, "other than a list in `permissions`"),
        ({"permissions": {"": ["auth.*"]}}, "other than names in `permissions`"),
        ({"permissions": {"editor": ["*"]}}, r"names `\*`, which is no permission"),
        ({"permissions": {"editor": ["auth"]}}, "names `auth`, which is no permission"),
        ({"permissions": {"editor": ["a*.b"]}}, "which is no permission"),
        ({"model": "yes"}, "True or False as `model`"),
        ({"model": True}, "add vestibule.client.django.backend.VestibuleBackend"),
    ],
)
def test_k16_what_is_set_wrongly_stops_the_start(users: Any, told: str) -> None:
    with override_settings(VESTIBULE={**AUTH, "users": users}), pytest.raises(ImproperlyConfigured, match=told):
        VestibuleMiddleware(lambda _request: None)


def test_staff_without_rows_and_djangos_admin_do_not_go_together() -> None:
    """Its log names rows of the user model: each of its pages would fail."""
    said = {**AUTH, "users": {"staff_roles": ["admin"]}}
    with override_settings(VESTIBULE=said), pytest.raises(ImproperlyConfigured, match='"model": True'):
        VestibuleMiddleware(lambda _request: None)


@pytest.mark.parametrize("tasks", ["", "/task"], ids=["sync", "async"])
@on_both
def test_djangos_own_decorators_decide_by_the_role(service: Callable[[], Ask], tasks: str, vestibule: SignedIn) -> None:
    with with_users(staff_roles=["admin"], permissions={"editor": ["auth.add_group"]}):
        ask = service()
        statuses = {
            role: [
                ask(f"{tasks}/{path}", headers=vestibule.headers(vestibule.token_for("ada", role=role))).status_code
                for path in ("signed-in", "staff", "groups")
            ]
            for role in ("user", "admin", "editor")
        }
        assert statuses == {"user": [200, 302, 403], "admin": [200, 200, 403], "editor": [200, 302, 200]}
        assert [ask(f"{tasks}/{path}").status_code for path in ("signed-in", "staff", "groups")] == [302, 302, 403]


@on_both
def test_the_guards_take_views_of_both_kinds(service: Callable[[], Ask], vestibule: SignedIn) -> None:
    ask, ada = service(), vestibule.headers(vestibule.token_for("ada"))
    admin = vestibule.headers(vestibule.token_for("bob", role="admin"))
    assert ask("/task/me", headers=ada).json() == {"id": "ada", "user": "ada"}
    assert ask("/task/admin", headers=admin).json() == ask("/admin", headers=admin).json() == {"id": "bob"}
    for path in ("/admin", "/task/admin"):
        assert [ask(path, headers=ada).status_code, ask(path).status_code] == [403, 401]
    assert ask("/task/me").json()["code"] == ask("/me").json()["code"] == "not_signed_in"


@on_both
def test_without_a_token_and_without_djangos_middleware_it_is_nobody(service: Callable[[], Ask]) -> None:
    for path in ("/who", "/task/who"):
        assert service()(path).json() == {"user": "AnonymousUser", "kind": "Nobody"}


@on_both
def test_a_refusal_that_a_view_raises_is_answered(service: Callable[[], Ask], vestibule: SignedIn) -> None:
    ask = service()
    answers = [ask("/unguarded"), ask("/unguarded", headers=vestibule.headers(vestibule.token_for("ada")))]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (401, "not_signed_in"),
        (403, "not_allowed"),
    ]
    assert answers[0].headers["www-authenticate"] == 'Bearer realm="vestibule"'


@on_both
def test_djangos_own_admin_is_answered_and_lets_no_caller_in(service: Callable[[], Ask], vestibule: SignedIn) -> None:
    ask = service()
    for headers in ({}, vestibule.headers(vestibule.token_for("ada", role="admin"))):
        assert ask("/django-admin/", headers=headers).headers["location"].startswith("/django-admin/login/")
        assert ask("/django-admin/login/", headers=headers).status_code == 200
