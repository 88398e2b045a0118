"""One service in each framework, and the same for all of them: who is let in, who is not, and with which words."""

from collections.abc import Callable
from typing import Annotated, Any

import flask
import pytest
from fastapi import Depends, FastAPI
from litestar import Litestar, Request, get, route
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.unit.client.asking import AUTH, Ask, on_asgi, on_wsgi
from tests.unit.client.django_site import with_async_django, with_django, with_rest_framework
from vestibule.client import Caller, Verifier
from vestibule.client import litestar as for_litestar
from vestibule.client.asgi import VestibuleMiddleware as AsgiMiddleware
from vestibule.client.fastapi import CurrentUser
from vestibule.client.flask import Vestibule, current_caller
from vestibule.client.testing import SignedIn
from vestibule.client.wsgi import VestibuleMiddleware as WsgiMiddleware


def with_fastapi() -> Ask:
    app, current_user = FastAPI(), CurrentUser(Verifier(**AUTH))

    @app.api_route("/me", methods=["GET", "POST"])
    async def me(caller: Annotated[Caller, Depends(current_user)]) -> dict[str, str]:
        return {"id": caller.id}

    @app.get("/admin")
    async def admin(caller: Annotated[Caller, Depends(current_user.with_role("admin"))]) -> dict[str, str]:
        return {"id": caller.id}

    return on_asgi(app)


def with_starlette() -> Ask:
    async def me(request: Any) -> JSONResponse:
        return JSONResponse({"id": request.state.caller.id})

    return on_asgi(AsgiMiddleware(Starlette(routes=[Route("/me", me, methods=["GET", "POST"])]), Verifier(**AUTH)))


def with_flask() -> Ask:
    app = flask.Flask("service")
    vestibule = Vestibule(app, Verifier(**AUTH))

    @app.route("/me", methods=["GET", "POST"])
    @vestibule.signed_in
    def me() -> dict[str, str]:
        return {"id": current_caller.id}

    @app.get("/admin")
    @vestibule.with_role("admin")
    def admin() -> dict[str, str]:
        return {"id": current_caller.id}

    return on_wsgi(app)


def with_wsgi() -> Ask:
    def me(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"id": "%s"}' % environ["vestibule.caller"].id.encode()]

    return on_wsgi(WsgiMiddleware(me, Verifier(**AUTH)))


def with_litestar() -> Ask:
    @route("/me", http_method=["GET", "POST"], status_code=200)
    async def me(request: Request[Caller, str, Any]) -> dict[str, str]:
        return {"id": request.user.id}

    @get("/admin", guards=[for_litestar.with_role("admin")])
    async def admin(request: Request[Caller, str, Any]) -> dict[str, str]:
        return {"id": request.user.id}

    return on_asgi(Litestar([me, admin], middleware=[for_litestar.middleware(Verifier(**AUTH))], openapi_config=None))


SERVICES: dict[str, Callable[[], Ask]] = {
    "fastapi": with_fastapi,
    "starlette": with_starlette,
    "flask": with_flask,
    "wsgi": with_wsgi,
    "django": with_django,
    "django-async": with_async_django,
    "rest-framework": with_rest_framework,
    "litestar": with_litestar,
}
WITH_ROLES = ["fastapi", "flask", "django", "django-async", "rest-framework", "litestar"]


@pytest.fixture
def ask(request: pytest.FixtureRequest) -> Ask:
    return SERVICES[request.param]()


every_service = pytest.mark.parametrize("ask", SERVICES, indirect=True)


@every_service
def test_the_caller_is_known_until_the_session_ends(ask: Ask, vestibule: SignedIn) -> None:
    token = vestibule.token_for("ada")
    answer = ask("/me", headers=vestibule.headers(token))
    assert (answer.status_code, answer.json()) == (200, {"id": "ada"})
    vestibule.revoke(token)
    answer = ask("/me", headers=vestibule.headers(token))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="vestibule", error="invalid_token"'


@every_service
def test_a_cookie_counts_where_one_is_named_and_the_header_goes_first(ask: Ask, vestibule: SignedIn) -> None:
    cookie = {"Cookie": f"access_token={vestibule.token_for('ada')}"}
    assert ask("/me", headers=cookie).json() == {"id": "ada"}
    assert ask("/me", headers={**cookie, "Authorization": "Bearer x.y.z"}).status_code == 401
    assert ask("/me", headers={**cookie, "Authorization": "Bearer "}).status_code == 401


@every_service
def test_without_a_token_there_is_a_challenge_without_an_error(ask: Ask, vestibule: SignedIn) -> None:
    answer = ask("/me")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="vestibule"')


@every_service
def test_an_expired_or_foreign_token_is_refused(ask: Ask, vestibule: SignedIn) -> None:
    vestibule.expire(expired := vestibule.token_for("ada"))
    for token in (expired, "a.b.c"):
        assert ask("/me", headers=vestibule.headers(token)).status_code == 401


@every_service
def test_cut_off_it_answers_503_and_when_to_come_back(ask: Ask, vestibule: SignedIn) -> None:
    token = vestibule.token_for("ada")
    vestibule.make_stale()
    answer = ask("/me", headers=vestibule.headers(token))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("ask", WITH_ROLES, indirect=True)
def test_a_role_is_demanded(ask: Ask, vestibule: SignedIn) -> None:
    admin, user = vestibule.token_for("ada", role="admin"), vestibule.token_for("bob")
    assert ask("/admin", headers=vestibule.headers(admin)).json() == {"id": "ada"}
    answer = ask("/admin", headers=vestibule.headers(user))
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert ask("/admin").status_code == 401


def test_openapi_says_how_a_caller_is_known() -> None:
    app, current_user = FastAPI(), CurrentUser(Verifier(**AUTH))

    @app.get("/admin")
    async def admin(caller: Annotated[Caller, Depends(current_user.with_role("admin"))]) -> str:
        return caller.id

    document = app.openapi()
    assert document["components"]["securitySchemes"]["Vestibule"]["scheme"] == "bearer"
    assert document["paths"]["/admin"]["get"]["security"] == [{"Vestibule": []}]


def test_open_paths_and_optional_callers(vestibule: SignedIn) -> None:
    async def who(request: Any) -> JSONResponse:
        caller = getattr(request.state, "caller", None)
        return JSONResponse({"id": caller.id if caller else None})

    routes = Starlette(routes=[Route("/who", who), Route("/health", who)])
    optional = on_asgi(AsgiMiddleware(routes, Verifier(**AUTH), required=False))
    closed = on_asgi(AsgiMiddleware(routes, Verifier(**AUTH), open_paths=["/health"]))
    assert optional("/who").json() == {"id": None}
    assert optional("/who", headers={"Authorization": "Bearer x.y.z"}).status_code == 401
    assert closed("/health").json() == {"id": None}
    assert closed("/who").status_code == 401


async def test_a_websocket_is_closed_before_it_is_accepted(vestibule: SignedIn) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(*_: Any) -> None:
        raise AssertionError("nobody is signed in")

    scope = {"type": "websocket", "path": "/", "headers": []}
    await AsgiMiddleware(app, Verifier(**AUTH))(scope, app, send)
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "not_signed_in"}]
