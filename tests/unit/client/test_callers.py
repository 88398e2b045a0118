"""`caller_of` in every face: who is calling, or a refusal; and what goes on without a check, whose caller is None."""

from typing import Any

import flask
import pytest
from fastapi import FastAPI
from litestar import Litestar, Request, get, route
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.unit.client.asking import AUTH, ORIGIN, Ask, on_asgi, on_wsgi
from vestibule.client import Verifier, asgi, wsgi
from vestibule.client import fastapi as for_fastapi
from vestibule.client import flask as for_flask
from vestibule.client import litestar as for_litestar
from vestibule.client.caller_errors import NotAllowedError
from vestibule.client.testing import SignedIn

METHODS = ["GET", "POST", "OPTIONS"]
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization",
}


def starlette_app() -> Starlette:
    async def found(request: StarletteRequest) -> JSONResponse:
        caller = request.state.caller
        return JSONResponse({"id": caller and caller.id})

    async def wanted(request: StarletteRequest) -> JSONResponse:
        return JSONResponse({"id": asgi.caller_of(request).id})

    async def admins(request: StarletteRequest) -> JSONResponse:
        asgi.caller_of(request).require("admin")
        return JSONResponse({})

    return Starlette(
        routes=[
            Route("/found", found, methods=METHODS),
            Route("/wanted", wanted, methods=METHODS),
            Route("/open/found", found, methods=METHODS),
            Route("/open/wanted", wanted, methods=METHODS),
            Route("/admins", admins),
        ]
    )


OPEN = ["/open/found", "/open/wanted"]


def with_starlette() -> Ask:
    return on_asgi(asgi.VestibuleMiddleware(starlette_app(), Verifier(**AUTH), open_paths=OPEN))


def with_asgi() -> Ask:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["path"] == "/admins":
            asgi.caller_of(scope).require("admin")
        caller = asgi.caller_of(scope) if scope["path"].endswith("wanted") else scope["state"]["caller"]
        content = b'{"id": "%s"}' % caller.id.encode() if caller else b'{"id": null}'
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": content})

    return on_asgi(asgi.VestibuleMiddleware(app, Verifier(**AUTH), open_paths=OPEN))


def with_wsgi() -> Ask:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/admins":
            wsgi.caller_of(environ).require("admin")
        wanted = environ["PATH_INFO"].endswith("wanted")
        caller = wsgi.caller_of(environ) if wanted else environ["vestibule.caller"]
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"id": "%s"}' % caller.id.encode() if caller else b'{"id": null}']

    return on_wsgi(wsgi.VestibuleMiddleware(app, Verifier(**AUTH), open_paths=OPEN))


@route(["/found", "/open/found"], http_method=METHODS, status_code=200)
async def litestar_found(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return {"id": request.user and request.user.id}


@route(["/wanted", "/open/wanted"], http_method=METHODS, status_code=200)
async def litestar_wanted(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return {"id": for_litestar.caller_of(request).id}


@get("/admins", guards=[for_litestar.with_role("admin")])
async def litestar_admins() -> dict[str, Any]:
    return {}


LITESTAR = [litestar_found, litestar_wanted, litestar_admins]


def with_litestar_plugin() -> Ask:
    return on_asgi(Litestar(LITESTAR, plugins=[for_litestar.VestibulePlugin(Verifier(**AUTH), exclude="^/open/")]))


def with_litestar_middleware() -> Ask:
    return on_asgi(Litestar(LITESTAR, middleware=[for_litestar.middleware(Verifier(**AUTH), exclude=["^/open/"])]))


GUARDED = {
    "starlette": with_starlette,
    "asgi": with_asgi,
    "wsgi": with_wsgi,
    "litestar, plugin": with_litestar_plugin,
    "litestar, middleware": with_litestar_middleware,
}


@pytest.fixture
def ask(request: pytest.FixtureRequest) -> Ask:
    return GUARDED[request.param]()


every_guard = pytest.mark.parametrize("ask", GUARDED, indirect=True)


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json().keys() == {"status", "code", "message"}
    assert "www-authenticate" in answer.headers


@every_guard
def test_k20_a_preflight_goes_on_and_is_nobody_s(ask: Ask, vestibule: SignedIn) -> None:
    """K20: what has credentials is checked as ever, and no other method goes on without."""
    for headers in ({}, PREFLIGHT):
        answer = ask("/found", method="OPTIONS", headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"id": None})
        refused(ask("/wanted", method="OPTIONS", headers=headers), 401, "not_signed_in")
        for method in ("GET", "POST"):
            refused(ask("/found", method=method, headers=headers), 401, "not_signed_in")
    good, bad = vestibule.headers(vestibule.token_for("ada")), {"Cookie": "access_token=a.b.c"}
    assert ask("/found", method="OPTIONS", headers={**PREFLIGHT, **good}).json() == {"id": "ada"}
    refused(ask("/found", method="OPTIONS", headers={**PREFLIGHT, **bad}), 401, "access_token_invalid")


@every_guard
def test_k20_an_open_path_has_no_caller(ask: Ask, vestibule: SignedIn) -> None:
    for headers in ({}, vestibule.headers(vestibule.token_for("ada")), {"Authorization": "Bearer a.b.c"}):
        answer = ask("/open/found", headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"id": None})
        refused(ask("/open/wanted", headers=headers), 401, "not_signed_in")


@every_guard
def test_k20_the_caller_is_asked_for_by_one_name(ask: Ask, vestibule: SignedIn) -> None:
    headers = vestibule.headers(vestibule.token_for("ada"))
    assert ask("/wanted", headers=headers).json() == {"id": "ada"}
    refused(ask("/admins", headers=headers), 403, "not_allowed")
    refused(ask("/wanted"), 401, "not_signed_in")


def test_k20_a_fastapi_route_without_the_dependency_has_no_caller(vestibule: SignedIn) -> None:
    app, current_user = FastAPI(), for_fastapi.CurrentUser(Verifier(**AUTH))

    @app.get("/open")
    async def unguarded(request: StarletteRequest) -> str:
        return for_fastapi.caller_of(request).id

    @app.get("/guarded", dependencies=[for_fastapi.Depends(current_user)])
    async def guarded(request: StarletteRequest, role: str = "user") -> str:
        caller = for_fastapi.caller_of(request)
        caller.require(role)
        return caller.id

    ask, headers = on_asgi(app), vestibule.headers(vestibule.token_for("ada"))
    refused(ask("/open", headers=headers), 401, "not_signed_in")
    assert ask("/guarded", headers=headers).json() == "ada"
    refused(ask("/guarded?role=admin", headers=headers), 403, "not_allowed")
    refused(ask("/guarded"), 401, "not_signed_in")


def test_k20_a_flask_view_without_a_guard_asks_by_the_same_name(vestibule: SignedIn) -> None:
    app = flask.Flask("service")
    for_flask.Vestibule(app, Verifier(**AUTH))

    @app.get("/wanted")
    def wanted() -> dict[str, str]:
        return {"id": for_flask.caller_of(flask.request).id}

    ask = on_wsgi(app)
    assert ask("/wanted", headers=vestibule.headers(vestibule.token_for("ada"))).json() == {"id": "ada"}
    refused(ask("/wanted"), 401, "not_signed_in")


@pytest.mark.parametrize("outside", [True, False], ids=["cors outside", "cors inside"])
def test_a_page_of_another_site_is_answered_wherever_cors_stands(outside: bool, vestibule: SignedIn) -> None:
    def cors(app: Any) -> Any:
        return CORSMiddleware(app, allow_origins=[ORIGIN], allow_methods=["POST"], allow_headers=["authorization"])

    verifier, app = Verifier(**AUTH), starlette_app()
    guard = asgi.VestibuleMiddleware
    ask = on_asgi(cors(guard(app, verifier)) if outside else guard(cors(app), verifier))
    answer = ask("/found", method="OPTIONS", headers=PREFLIGHT)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    allowed = ask("/found", method="POST", headers={"Origin": ORIGIN}).headers.get("access-control-allow-origin")
    assert allowed == (ORIGIN if outside else None)  # as the guide says: outside, so that refusals can be read


async def test_a_refusal_after_the_answer_has_begun_is_the_server_s(vestibule: SignedIn) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise NotAllowedError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "OPTIONS", "path": "/", "headers": []}
    with pytest.raises(NotAllowedError):
        await asgi.VestibuleMiddleware(app, Verifier(**AUTH))(scope, app, send)
    assert [message["type"] for message in sent] == ["http.response.start"]


def test_a_refusal_replaces_what_a_wsgi_application_has_begun(vestibule: SignedIn) -> None:
    """By the exception, as PEP 3333 has it."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        raise NotAllowedError

    started: list[tuple[Any, ...]] = []
    environ = {"REQUEST_METHOD": "OPTIONS", "PATH_INFO": "/"}
    body = wsgi.VestibuleMiddleware(app, Verifier(**AUTH))(environ, lambda *arguments: started.append(arguments))
    assert [arguments[0] for arguments in started] == ["200 OK", "403 Forbidden"]
    assert started[1][2][0] is NotAllowedError
    assert b"not_allowed" in b"".join(body)
