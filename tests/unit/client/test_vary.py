"""Caches between a service and its callers: every face names in `Vary` what an answer depends on, and has no cache
keep a refusal.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import flask
import pytest
from django.http import HttpRequest, JsonResponse
from django.test import override_settings
from django.urls import path
from fastapi import Depends, FastAPI, Response
from litestar import Litestar, Request, route
from litestar.response import Response as LitestarResponse
from starlette.applications import Starlette
from starlette.responses import JSONResponse as StarletteResponse
from starlette.routing import Route

from tests.unit.client.asking import AUTH, Ask, on_asgi, on_wsgi
from tests.unit.client.django_site import OURS, api_view, for_rest, with_async_django, with_django
from tests.unit.client.django_site import Response as RestResponse
from vestibule.client import Caller, Verifier, asgi, wsgi
from vestibule.client import django as for_django
from vestibule.client import fastapi as for_fastapi
from vestibule.client import flask as for_flask
from vestibule.client import litestar as for_litestar
from vestibule.client.testing import SignedIn
from vestibule.client.vary import vary_value

SAID = {"Vary": "Accept"}
METHODS = ["GET", "POST"]


def fastapi_app(*, installed: bool, as_data: bool) -> FastAPI:
    app, current_user = FastAPI(), for_fastapi.CurrentUser(Verifier(**AUTH))
    if installed:
        for_fastapi.install(app)

    @app.api_route("/page", methods=METHODS)
    async def page(caller: Annotated[Caller, Depends(current_user)], response: Response) -> Any:
        if not as_data:
            return StarletteResponse({"id": caller.id}, headers=SAID)
        response.headers.append("Vary", SAID["Vary"])
        return {"id": caller.id}

    @app.get("/open")
    async def for_all() -> str:
        return ""

    return app


async def starlette_page(request: Any) -> StarletteResponse:
    return StarletteResponse({"id": asgi.caller_of(request).id}, headers=SAID)


async def starlette_open(_request: Any) -> StarletteResponse:
    return StarletteResponse("")


def with_starlette() -> Ask:
    app = Starlette(routes=[Route("/page", starlette_page, methods=METHODS), Route("/open", starlette_open)])
    return on_asgi(asgi.VestibuleMiddleware(app, Verifier(**AUTH), open_paths=["/open"]))


def with_wsgi() -> Ask:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [*SAID.items()] if environ["PATH_INFO"] == "/page" else [])
        return [b""]

    return on_wsgi(wsgi.VestibuleMiddleware(app, Verifier(**AUTH), open_paths=["/open"]))


def with_flask() -> Ask:
    app = flask.Flask("service")
    vestibule = for_flask.Vestibule(app, Verifier(**AUTH))

    @app.route("/page", methods=METHODS)
    @vestibule.signed_in
    def page() -> Any:
        return {"id": for_flask.current_caller.id}, SAID

    @app.get("/open")
    def for_all() -> str:
        return ""

    return on_wsgi(app)


def flask_asked(how: str) -> Ask:
    """An application that asks who is calling late: while it streams, or after the view."""
    app = flask.Flask("service")

    def ask_after(answer: flask.Response) -> flask.Response:
        answer.headers["X-Caller"] = for_flask.current_caller.id
        return answer

    if how == "after, set up later":
        app.after_request(ask_after)
    for_flask.Vestibule(app, Verifier(**AUTH))
    if how == "after, set up first":
        app.after_request(ask_after)

    @app.get("/page")
    def page() -> flask.Response:
        def stream() -> Iterator[str]:
            yield for_flask.current_caller.id

        return flask.Response(flask.stream_with_context(stream()) if how == "stream" else "", headers=SAID)

    @app.get("/file")
    def file() -> flask.Response:
        return flask.send_file(__file__)

    return on_wsgi(app)


@route("/page", http_method=METHODS, status_code=200)
async def litestar_page(request: Request[Any, Any, Any]) -> LitestarResponse[Any]:
    return LitestarResponse({"id": request.user.id}, headers=SAID)


@route("/open", http_method=["GET"], exclude_from_auth=True)
async def litestar_open() -> str:
    return ""


def with_litestar(**how: Any) -> Ask:
    return on_asgi(Litestar([litestar_page, litestar_open], openapi_config=None, **how))


@for_django.signed_in
def django_page(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": for_django.caller_of(request).id}, headers=SAID)


@for_django.signed_in
async def django_task(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": for_django.caller_of(request).id}, headers=SAID)


@api_view(METHODS)
def rest_page(request: Any) -> RestResponse:
    return RestResponse({"id": for_rest.caller_of(request).id}, headers=SAID)


urlpatterns = [path("page", django_page), path("task/page", django_task), path("rest/page", rest_page)]


def below(prefix: str, ask: Ask, middleware: list[str]) -> Ask:
    def asking(address: str, **how: Any) -> Any:
        with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=middleware):
            return ask(f"{prefix}{address}", **how)

    return asking


FACES: dict[str, Callable[[], Ask]] = {
    "starlette": with_starlette,
    "wsgi": with_wsgi,
    "flask": with_flask,
    "fastapi, data": lambda: on_asgi(fastapi_app(installed=False, as_data=True)),
    "fastapi, installed, data": lambda: on_asgi(fastapi_app(installed=True, as_data=True)),
    "fastapi, installed, a response": lambda: on_asgi(fastapi_app(installed=True, as_data=False)),
    "litestar, plugin": lambda: with_litestar(plugins=[for_litestar.VestibulePlugin(Verifier(**AUTH))]),
    "litestar, middleware": lambda: with_litestar(middleware=[for_litestar.middleware(Verifier(**AUTH))]),
}
DJANGO: dict[str, Callable[[], Ask]] = {
    "django": lambda: below("", with_django(), [OURS]),
    "django, async view": lambda: below("/task", with_django(), [OURS]),
    "django, asgi": lambda: below("", with_async_django(), [OURS]),
    "django, asgi, async view": lambda: below("/task", with_async_django(), [OURS]),
    "rest framework": lambda: below("/rest", with_django(), []),
    "rest framework, middleware": lambda: below("/rest", with_django(), [OURS]),
}
every_face = pytest.mark.parametrize("make", [*FACES.values(), *DJANGO.values()], ids=[*FACES, *DJANGO])


def varies_by(answer: Any) -> list[str]:
    return sorted(name.strip() for name in answer.headers.get("vary", "").lower().split(",") if name.strip())


@every_face
def test_k42_an_answer_to_a_caller_says_what_it_depends_on(make: Callable[[], Ask], vestibule: SignedIn) -> None:
    ask, token = make(), vestibule.token_for("ada")
    for headers in (vestibule.headers(token), {"Cookie": f"access_token={token}"}):
        answer = ask("/page", headers=headers)
        assert answer.status_code == 200
        assert {"accept", "authorization", "cookie"} == {*varies_by(answer)}
        assert len(varies_by(answer)) == 3
        assert "no-store" not in answer.headers.get("cache-control", "")


@pytest.mark.parametrize("how", ["stream", "after, set up first", "after, set up later"])
def test_k42_an_answer_that_asks_late_says_what_it_depends_on(how: str, vestibule: SignedIn) -> None:
    answer = flask_asked(how)("/page", headers={"Cookie": f"access_token={vestibule.token_for('ada')}"})
    assert varies_by(answer) == ["accept", "authorization", "cookie"]
    assert answer.headers.get("x-caller", answer.text) == "ada"


def test_a_file_depends_on_nobody(vestibule: SignedIn) -> None:
    assert varies_by(flask_asked("stream")("/file")) == []


@every_face
def test_k42_no_cache_keeps_a_refusal(make: Callable[[], Ask], vestibule: SignedIn) -> None:
    ask, cookie = make(), {"Cookie": f"access_token={vestibule.token_for('ada')}"}
    cases: list[tuple[str, dict[str, str], int]] = [
        ("GET", {}, 401),
        ("GET", {"Authorization": "Bearer a.b.c"}, 401),
        ("GET", {"Authorization": "Bearer a.b.c, Bearer d.e.f"}, 400),
        ("POST", cookie, 403),
        ("GET", cookie, 503),
    ]
    for method, headers, status in cases:
        if status == 503:
            vestibule.make_stale()
        answer = ask("/page", method=method, headers=headers)
        if status != 400 or answer.status_code != 401:  # only by WSGI one header may be two
            assert answer.status_code == status
        assert {"authorization", "cookie"} <= {*varies_by(answer)}
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("make", FACES.values(), ids=FACES)
def test_what_no_face_decided_about_varies_by_nothing(make: Callable[[], Ask], vestibule: SignedIn) -> None:
    answer = make()("/open", headers=vestibule.headers(vestibule.token_for("ada")))
    assert (answer.status_code, varies_by(answer)) == (200, [])


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ([], "Authorization"),
        (["Accept"], "Accept, Authorization"),
        (["Accept, authorization", "Origin"], "Accept, authorization, Origin"),
        (["Accept", "*"], "*"),
        ([" ,"], "Authorization"),
    ],
)
def test_k42_what_vary_said_before_stays(said: list[str], value: str) -> None:
    assert vary_value(said, ["Authorization"]) == value


def test_without_a_cookie_the_answer_does_not_depend_on_one(vestibule: SignedIn) -> None:
    app = Starlette(routes=[Route("/page", starlette_page)])
    ask = on_asgi(asgi.VestibuleMiddleware(app, Verifier(**AUTH | {"cookie": None})))
    answer = ask("/page", headers=vestibule.headers(vestibule.token_for("ada")))
    assert varies_by(answer) == ["accept", "authorization"]
