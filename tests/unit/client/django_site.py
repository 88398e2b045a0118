"""A site in Django and in Django REST framework, for WSGI and for ASGI. One process has one: Django is set once."""

from typing import Any

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path

from tests.unit.client.asking import AUTH, Ask, on_asgi, on_wsgi
from vestibule.client import django as for_django


@for_django.signed_in
def me(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": request.user.id})


@for_django.with_role("admin")
def for_admins(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": request.user.id})


def configure_django() -> None:
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF=__name__,
            SECRET_KEY="for tests",
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
            MIDDLEWARE=["vestibule.client.django.VestibuleMiddleware"],
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
from django.contrib.auth.models import AnonymousUser  # noqa: E402, F401
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402


@api_view(["GET", "POST"])
def rest_me(request: Any) -> Response:
    return Response({"id": request.user.id})


urlpatterns = [
    path("me", me),
    path("admin", for_admins),
    path("rest/me", rest_me),
    path("django-admin/", admin.site.urls),
]


def with_django() -> Ask:
    return on_wsgi(WSGIHandler())


def with_async_django() -> Ask:
    return on_asgi(ASGIHandler())


def with_rest_framework() -> Ask:
    ask = on_wsgi(WSGIHandler())
    return lambda address, **how: ask(f"/rest{address}", **how)
