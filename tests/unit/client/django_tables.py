"""Django's own tables in a file, for tests in which it has users; its models, which want Django to be set first."""

from collections.abc import Iterator

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connections

from tests.unit.client.django_site import configure_django

configure_django()
from django.contrib.auth.models import AnonymousUser, Group, Permission, User  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402

__all__ = ["AnonymousUser", "Group", "Permission", "Session", "User", "migrated", "session_of", "tables"]
IN_MEMORY = ":memory:"
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Once in a process, however many modules use it."""
    mine = connections["default"].settings_dict
    if mine["NAME"] == IN_MEMORY:
        connections.close_all()
        mine["NAME"] = str(tmp_path_factory.mktemp("django") / "tables.sqlite")
        call_command("migrate", verbosity=0)


@pytest.fixture
def tables(migrated: None) -> Iterator[None]:
    for model in (User, Group, Session):
        model.objects.all().delete()
    yield
    connections.close_all()


def session_of(user: User) -> dict[str, str]:
    """The header of somebody whom Django itself has signed in, as its `login` does."""
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), MODEL_BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return {"Cookie": f"sessionid={session.session_key}"}
