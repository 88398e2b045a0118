"""Django without the kit's middleware: guards check by themselves, and what cannot says what to add."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
from django.http import HttpRequest, JsonResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from tests.unit.client.asking import Ask
from tests.unit.client.django_site import APIView, Response, api_view, for_rest, with_async_django, with_django
from vestibule.client.django import caller_of, requests, signed_in, with_role
from vestibule.client.testing import SignedIn
from vestibule.client.throttled_warnings import ThrottledWarnings


def told(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": caller_of(request).id})


async def told_in_task(request: HttpRequest) -> JsonResponse:
    return told(request)


@api_view(["GET"])
def rest(request: Any) -> Response:
    return Response({"id": for_rest.caller_of(request).id})


class RestMethod(APIView):
    authentication_classes = ()
    permission_classes = ()

    @method_decorator(signed_in)
    def get(self, request: Any) -> Response:
        return Response({"id": for_rest.caller_of(request).id})


class RestAsks(RestMethod):
    def get(self, request: Any) -> Response:
        return Response({"id": for_rest.caller_of(request).id})


class RestRole(RestAsks):
    permission_classes = (for_rest.with_role("admin"),)


class Task(View):
    async def get(self, request: HttpRequest) -> JsonResponse:
        return told(request)


class MixedIn:
    @method_decorator([never_cache, signed_in])
    def dispatch(self, *given: Any, **named: Any) -> Any:
        return super().dispatch(*given, **named)  # type: ignore[misc]


class MixedTask(MixedIn, Task):
    pass


class MixedView(MixedIn, View):
    def get(self, request: HttpRequest) -> JsonResponse:
        return told(request)


def another(view: Any) -> Any:
    """A project's own decorator, which passes on whatever the view returns."""

    @wraps(view)
    def passes_on(*given: Any, **named: Any) -> Any:
        return view(*given, **named)

    return passes_on


def on_dispatch(*guards: Any) -> Any:
    """A class of async handlers, guarded where all of them pass."""
    return method_decorator(guards, name="dispatch")(type("Guarded", (Task,), {})).as_view()


VIEWS: dict[str, Any] = {
    "class-task": signed_in(Task.as_view()),
    "class-task-method": method_decorator(signed_in, name="get")(type("Guarded", (Task,), {})).as_view(),
    "class-task-dispatch": on_dispatch(signed_in),
    "class-task-dispatch-inside": on_dispatch(never_cache, signed_in),
    "class-task-dispatch-outside": on_dispatch(signed_in, another),
    "class-task-dispatch-role": on_dispatch(with_role("admin")),
    "class-task-mixed-in": MixedTask.as_view(),
    "class-mixed-in": MixedView.as_view(),
    "view": signed_in(told),
    "role": with_role("admin")(told),
    "task": signed_in(told_in_task),
    "task-role": with_role("admin")(told_in_task),
    "rest": signed_in(rest),
    "rest-role-outside": with_role("admin")(rest),
    "rest-method": RestMethod.as_view(),
    "rest-asks": RestAsks.as_view(),
    "rest-role": RestRole.as_view(),
}
urlpatterns = [path(name, view) for name, view in VIEWS.items()]
urlpatterns += [path("bare", told)]
on_both = pytest.mark.parametrize("service", [with_django, with_async_django])


@on_both
@pytest.mark.parametrize("name", VIEWS)
def test_k43_a_guard_without_the_middleware_checks_the_token(
    name: str, service: Callable[[], Ask], vestibule: SignedIn
) -> None:
    admin, user = (vestibule.token_for(role, role=role) for role in ("admin", "user"))
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[]):
        ask = service()
        answer = ask(f"/{name}", headers=vestibule.headers(admin))
        assert (answer.status_code, answer.json()) == (200, {"id": "admin"})
        assert {"Authorization", "Cookie"} <= {one.strip() for one in answer.headers["vary"].split(",")}
        assert ask(f"/{name}", headers=vestibule.headers(user)).status_code == (403 if "role" in name else 200)
        assert ask(f"/{name}").json()["code"] == "not_signed_in"
        vestibule.revoke(admin)
        assert ask(f"/{name}", headers=vestibule.headers(admin)).json()["code"] == "session_over"


@on_both
def test_what_nothing_has_checked_says_what_to_add(
    service: Callable[[], Ask],
    vestibule: SignedIn,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the kit's own logger too: where DEBUG is off, Django's default logging shows the exception nowhere."""
    monkeypatch.setattr(requests, "_warnings", ThrottledWarnings())
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[]):
        answer = service()("/bare", headers=vestibule.headers(vestibule.token_for("ada")))
    assert answer.status_code == 500
    of_the_kit = [record.getMessage() for record in caplog.records if record.name.startswith("vestibule.client")]
    assert ["add vestibule.client.django.VestibuleMiddleware to MIDDLEWARE" in line for line in of_the_kit] == [True]
