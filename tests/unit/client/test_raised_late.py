"""Refusals that an application raises itself, wherever it does: answered as the kit's own, as long as none is begun."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import flask
import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from django.views import View
from fastapi import Depends, FastAPI
from litestar import Litestar, Request, get
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.routing import Route

from tests.unit.client.asking import AUTH, Ask, on_asgi, on_wsgi
from tests.unit.client.django_site import OURS, SESSIONS, APIView, api_view, for_rest, with_async_django, with_django
from vestibule.client import Caller, Verifier, asgi, wsgi
from vestibule.client import django as for_django
from vestibule.client import fastapi as for_fastapi
from vestibule.client import flask as for_flask
from vestibule.client import litestar as for_litestar
from vestibule.client.caller_errors import NotAllowedError
from vestibule.client.testing import SignedIn


def generator(environ: Any, start_response: Any) -> Iterator[bytes]:
    wsgi.caller_of(environ).require("admin")
    start_response("200 OK", [])
    yield b"for admins"


def with_wsgi(app: Any) -> Ask:
    return on_wsgi(wsgi.VestibuleMiddleware(app, Verifier(**AUTH)))


class StarletteView(HTTPEndpoint):
    async def get(self, request: Any) -> None:
        asgi.caller_of(request).require("admin")


def starlette_view(request: Any) -> None:
    asgi.caller_of(request).require("admin")


def with_starlette(view: Any) -> Ask:
    return on_asgi(asgi.VestibuleMiddleware(Starlette(routes=[Route("/", view)]), Verifier(**AUTH)))


def with_fastapi() -> Ask:
    app, current_user = FastAPI(), for_fastapi.CurrentUser(Verifier(**AUTH))

    async def while_open(caller: Annotated[Caller, Depends(current_user)]) -> Any:
        yield caller

    @app.get("/")
    async def view(caller: Annotated[Caller, Depends(while_open)]) -> None:
        caller.require("admin")

    return on_asgi(app)


def with_flask(*, before: bool) -> Ask:
    app = flask.Flask("service")
    for_flask.Vestibule(app, Verifier(**AUTH))

    def check() -> None:
        for_flask.current_caller.require("admin")

    if before:
        app.before_request(check)
    app.add_url_rule("/", "view", lambda: flask.Response(str(check())))
    return on_wsgi(app)


@get("/", sync_to_thread=False)
def litestar_view(request: Request[Caller, Any, Any]) -> None:
    request.user.require("admin")


async def for_admins(request: Request[Caller, Any, Any]) -> None:
    request.user.require("admin")


@get("/", before_request=for_admins)
async def litestar_hook() -> None:
    pass


def with_litestar(handler: Any, *, plugin: bool) -> Ask:
    ours: Any = (
        {"plugins": [for_litestar.VestibulePlugin(Verifier(**AUTH))]}
        if plugin
        else {"middleware": [for_litestar.middleware(Verifier(**AUTH))]}
    )
    return on_asgi(Litestar([handler], openapi_config=None, **ours))


def django_view(request: HttpRequest) -> HttpResponse:
    for_django.caller_of(request).require("admin")
    return HttpResponse()


async def django_task(request: HttpRequest) -> HttpResponse:
    return django_view(request)


class DjangoView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return django_view(request)


class RestView(APIView):
    def get(self, request: Any) -> None:
        for_rest.caller_of(request).require("admin")


@api_view(["GET"])
def rest_function(request: Any) -> None:
    request.auth.require("admin")


def around(before: Callable[[Any], None], header: str) -> Any:
    """A project's own middleware: it does something first, and adds a header to what it is answered."""

    @sync_and_async_middleware
    def middleware(get_response: Any) -> Any:
        def passed_on(answer: Any) -> Any:
            answer[header] = "once"
            return answer

        async def in_task(request: Any) -> Any:
            before(request)
            return passed_on(await get_response(request))

        def in_thread(request: Any) -> Any:
            before(request)
            return passed_on(get_response(request))

        return in_task if iscoroutinefunction(get_response) else in_thread

    return middleware


refusing = around(lambda request: for_django.caller_of(request).require("admin"), "X-Let-In")
passing = around(str, "X-Passed")
REFUSING, PASSING = f"{__name__}.refusing", f"{__name__}.passing"


def for_all(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("all", for_all),
    path("function", django_view),
    path("task", django_task),
    path("class", DjangoView.as_view()),
    path("rest", RestView.as_view()),
    path("rest-function", rest_function),
]


def at(place: str, service: Callable[[], Ask], middleware: list[str]) -> Ask:
    def ask(_address: str, **how: Any) -> Any:
        with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=middleware):
            return service()(f"/{place}", **how)

    return ask


PLACES: dict[str, Callable[[], Ask]] = {
    "wsgi, generator": lambda: with_wsgi(generator),
    "wsgi, an object that iterates": lambda: with_wsgi(lambda *told: iter(generator(*told))),
    "starlette, class": lambda: with_starlette(StarletteView),
    "starlette, thread": lambda: with_starlette(starlette_view),
    "fastapi, below a dependency that is open": with_fastapi,
    "flask, view": lambda: with_flask(before=False),
    "flask, before the request": lambda: with_flask(before=True),
    "litestar, plugin": lambda: with_litestar(litestar_view, plugin=True),
    "litestar, middleware": lambda: with_litestar(litestar_view, plugin=False),
    "litestar, plugin, before the request": lambda: with_litestar(litestar_hook, plugin=True),
    "litestar, middleware, before the request": lambda: with_litestar(litestar_hook, plugin=False),
    **{
        f"django, {name}, {place}": lambda place=place, service=service: at(place, service, [OURS])
        for name, service in {"wsgi": with_django, "asgi": with_async_django}.items()
        for place in ("function", "task", "class", "rest", "rest-function")
    },
    **{
        f"django, {name}, {title}": lambda service=service, stack=stack: at("all", service, stack)
        for name, service in {"wsgi": with_django, "asgi": with_async_django}.items()
        for title, stack in {
            "a middleware": [OURS, REFUSING],
            "a middleware further in": [OURS, PASSING, SESSIONS, REFUSING],
            "a middleware, with one above the kit's": [PASSING, OURS, REFUSING],
        }.items()
    },
    "rest framework alone, class": lambda: at("rest", with_django, []),
    "rest framework alone, function": lambda: at("rest-function", with_django, []),
    "rest framework alone, asgi": lambda: at("rest", with_async_django, []),
}


@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES)
def test_k43_a_refusal_that_the_application_raises_is_answered_as_the_kit_s_own(
    make: Callable[[], Ask], vestibule: SignedIn
) -> None:
    answer = make()("/", headers=vestibule.headers(vestibule.token_for("ada")))
    assert (answer.status_code, answer.json()) == (403, NotAllowedError().body)
    assert answer.headers["www-authenticate"] == NotAllowedError().challenge
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("service", [with_django, with_async_django])
def test_k43_a_middleware_is_given_the_answer_to_what_another_one_below_it_raised(
    service: Callable[[], Ask], vestibule: SignedIn
) -> None:
    answer = at("all", service, [OURS, PASSING, REFUSING])("/", headers=vestibule.headers(vestibule.token_for("ada")))
    assert (answer.status_code, answer.headers["x-passed"]) == (403, "once")
