"""One service in each framework, and the same for all of them: who is let in, who is not, and with which words."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import django
import flask
import httpx
import pytest
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path
from fastapi import Depends, FastAPI
from litestar import Litestar, Request, get, route
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from vestibule.client import Caller, Verifier
from vestibule.client import django as for_django
from vestibule.client import litestar as for_litestar
from vestibule.client.asgi import VestibuleMiddleware as AsgiMiddleware
from vestibule.client.fastapi import CurrentUser
from vestibule.client.flask import Vestibule, current_caller
from vestibule.client.testing import SignedIn
from vestibule.client.wsgi import VestibuleMiddleware as WsgiMiddleware

ORIGIN = "https://app.example.com"
AUTH = {"url": "https://auth.example.com", "service_key": "vsk_x", "cookie": "access_token", "origins": [ORIGIN]}
Ask = Callable[..., httpx.Response]


def on_asgi(app: Any) -> Ask:
    def ask(address: str, method: str = "GET", **how: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
                return await client.request(method, address, **how)

        return asyncio.run(answer())

    return ask


def on_wsgi(app: Any) -> Ask:
    def ask(address: str, method: str = "GET", **how: Any) -> httpx.Response:
        # As servers do it: headers of one name become one entry of the environment.
        headers = dict(httpx.Headers(how.pop("headers", None)).items())
        with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://service") as client:
            return client.request(method, address, headers=headers, **how)

    return ask


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


@for_django.signed_in
def django_me(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": request.user.id})


@for_django.with_role("admin")
def django_admin(request: HttpRequest) -> JsonResponse:
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
from django.contrib.auth.models import AnonymousUser  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402


@api_view(["GET", "POST"])
def rest_me(request: Any) -> Response:
    return Response({"id": request.user.id})


urlpatterns = [
    path("me", django_me),
    path("admin", django_admin),
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
WITH_ROLES = ["fastapi", "flask", "django", "litestar"]


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
    for token in (vestibule.expire(vestibule.token_for("ada")), "a.b.c"):
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
