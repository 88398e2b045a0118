"""A site in Django and in Django REST framework, for WSGI and for ASGI. One process has one: Django is set once."""

from typing import Any

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from tests.unit.client.asking import AUTH, Ask, on_asgi, on_wsgi
from vestibule.client.django import caller_of, require_level, require_recent, signed_in, with_role

OURS = "vestibule.client.django.VestibuleMiddleware"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
DJANGOS = "django.contrib.auth.middleware.AuthenticationMiddleware"
MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
IN_BOTH_ORDERS = {
    "after Django's": [SESSIONS, DJANGOS, MESSAGES, OURS],
    "before Django's": [OURS, SESSIONS, DJANGOS, MESSAGES],
}


def configure_django() -> None:
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=__name__,
            SECRET_KEY="for tests",
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            INSTALLED_APPS=[
                f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages")
            ],
            TEMPLATES=[
                {
                    "BACKEND": "django.template.backends.django.DjangoTemplates",
                    "APP_DIRS": True,
                    "OPTIONS": {
                        "context_processors": [
                            "django.template.context_processors.request",
                            "django.contrib.auth.context_processors.auth",
                            "django.contrib.messages.context_processors.messages",
                        ]
                    },
                }
            ],
            MIDDLEWARE=[OURS],
            VESTIBULE=AUTH,
            REST_FRAMEWORK={
                "DEFAULT_AUTHENTICATION_CLASSES": ["vestibule.client.rest_framework.VestibuleAuthentication"],
                "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
                "UNAUTHENTICATED_USER": None,
            },
        )
        django.setup()


configure_django()
# Only now: the framework reads Django's settings when it is imported.
from django.contrib import admin  # noqa: E402
from django.contrib.auth.decorators import login_required, permission_required, user_passes_test  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from rest_framework.decorators import api_view, authentication_classes, permission_classes  # noqa: E402, F401
from rest_framework.permissions import DjangoModelPermissions, IsAdminUser  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from vestibule.client import rest_framework as for_rest  # noqa: E402


@signed_in
def me(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": caller_of(request).id})


@with_role("admin")
def for_admins(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": caller_of(request).id})


@signed_in
async def me_in_task(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": caller_of(request).id, "user": str(await request.auser())})


@with_role("admin")
async def for_admins_in_task(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": caller_of(request).id})


def who(request: HttpRequest) -> JsonResponse:
    """Who asks, in Django's eyes, with or without a token."""
    return JsonResponse({"user": str(request.user), "kind": request.user.__class__.__name__})


async def who_in_task(request: HttpRequest) -> JsonResponse:
    user = await request.auser()
    return JsonResponse({"user": str(user), "kind": type(user).__name__})


def ok(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user))


async def ok_in_task(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(await request.auser()))


def unguarded(request: HttpRequest) -> HttpResponse:
    caller_of(request).require("admin")
    return HttpResponse()


may_add_groups = permission_required("auth.add_group", raise_exception=True)
staff_alone = user_passes_test(lambda user: user.is_staff, login_url="/login")


@api_view(["GET", "POST"])
def rest_me(request: Any) -> Response:
    return Response({"id": for_rest.caller_of(request).id})


@api_view(["GET"])
def rest_who(request: Any) -> Response:
    return Response({"user": str(request.user), "kind": request.user.__class__.__name__, "auth": request.auth.id})


class RestStaff(APIView):
    permission_classes = (IsAdminUser,)

    def get(self, request: Any) -> Response:
        return Response({"user": str(request.user)})


class RestAdmins(APIView):
    permission_classes = (for_rest.with_role("admin"),)

    def get(self, request: Any) -> Response:
        return Response({"id": for_rest.caller_of(request).id})


def rest_of(*permissions: Any) -> Any:
    """A view behind these permission classes."""

    class Guarded(RestAdmins):
        permission_classes = permissions

    return Guarded.as_view()


class RestGroups(APIView):
    permission_classes = (DjangoModelPermissions,)
    queryset = Group.objects.none()

    def get(self, request: Any) -> Response:
        return Response([])

    def post(self, request: Any) -> Response:
        return Response({}, status=201)


urlpatterns = [
    path("me", me),
    path("admin", for_admins),
    path("task/me", me_in_task),
    path("task/admin", for_admins_in_task),
    path("who", who),
    path("task/who", who_in_task),
    path("unguarded", unguarded),
    path("groups", may_add_groups(ok)),
    path("task/groups", may_add_groups(ok_in_task)),
    path("staff", staff_alone(ok)),
    path("task/staff", staff_alone(ok_in_task)),
    path("signed-in", login_required(ok, login_url="/login")),
    path("task/signed-in", login_required(ok_in_task, login_url="/login")),
    path("rest/me", rest_me),
    path("rest/who", rest_who),
    path("rest/admin", RestAdmins.as_view()),
    path("rest/staff", RestStaff.as_view()),
    path("rest/groups", RestGroups.as_view()),
    path("level", require_level(2)(me)),
    path("recent", require_recent(300)(me)),
    path("both", require_level(2)(require_recent(300)(me))),
    path("all", require_recent(300)(require_level(2)(for_admins))),
    path("task/level", require_level(2)(me_in_task)),
    path("task/recent", require_recent(300)(me_in_task)),
    path("task/both", require_level(2)(require_recent(300)(me_in_task))),
    path("task/all", require_recent(300)(require_level(2)(for_admins_in_task))),
    path("rest/level", rest_of(for_rest.require_level(2))),
    path("rest/recent", rest_of(for_rest.require_recent(300))),
    path("rest/both", rest_of(for_rest.require_level(2), for_rest.require_recent(300))),
    path("rest/all", rest_of(for_rest.require_recent(300), for_rest.require_level(2), for_rest.with_role("admin"))),
    path("django-admin/", admin.site.urls),
]


def with_django() -> Ask:
    return on_wsgi(WSGIHandler())


def with_async_django() -> Ask:
    return on_asgi(ASGIHandler())


def with_rest_framework() -> Ask:
    ask = on_wsgi(WSGIHandler())
    return lambda address, **how: ask(
        address.replace("/me", "/rest/me") if "://" in address else f"/rest{address}", **how
    )
