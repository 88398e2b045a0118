"""O56: a route that demands a permission, in every framework: who has it, who has not, and when nobody can tell."""

from collections.abc import Callable
from typing import Annotated, Any

import flask
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from fastapi import Depends, FastAPI
from litestar import Litestar, get

from tests.unit.client.asking import AUTH, Ask, on_asgi, on_wsgi
from tests.unit.client.django_site import APIView, Response, for_rest
from vestibule.client import Caller, Verifier, asgi, django, litestar, wsgi
from vestibule.client import flask as for_flask
from vestibule.client.fastapi import CurrentUser
from vestibule.client.testing import SignedIn

WRITE = "invoices:write"
CHALLENGE = f'Bearer realm="vestibule", error="insufficient_scope", scope="{WRITE}"'


def with_fastapi() -> Ask:
    app, user = FastAPI(), CurrentUser(Verifier(**AUTH))

    @app.get("/")
    async def write(caller: Annotated[Caller, Depends(user.require_permission(WRITE))]) -> str:
        return caller.id

    return on_asgi(app)


def with_flask() -> Ask:
    app = flask.Flask("service")
    app.add_url_rule("/", "write", for_flask.Vestibule(app, Verifier(**AUTH)).require_permission(WRITE)(lambda: "ok"))
    return on_wsgi(app)


def with_litestar() -> Ask:
    @get("/", guards=[litestar.require_permission(WRITE)])
    async def write() -> str:
        return "ok"

    return on_asgi(Litestar([write], plugins=[litestar.VestibulePlugin(Verifier(**AUTH))]))


def of_django(view: Any) -> Ask:
    def ask(address: str, *, headers: Any = None) -> Any:
        answer = view(RequestFactory().get(address, headers=headers))
        return answer.render() if hasattr(answer, "render") else answer

    return ask


def with_django() -> Ask:
    @django.require_permission(WRITE)
    def write(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    return of_django(write)


def with_rest_framework() -> Ask:
    class Write(APIView):
        permission_classes = (for_rest.require_permission(WRITE),)

        def get(self, _request: Any) -> Any:
            return Response("ok")

    return of_django(Write.as_view())


def with_asgi() -> Ask:
    async def write(scope: Any, _receive: Any, send: Any) -> None:
        asgi.caller_of(scope).require_permission(WRITE)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    return on_asgi(asgi.VestibuleMiddleware(write, Verifier(**AUTH)))


def with_wsgi() -> Ask:
    def write(environ: Any, start_response: Any) -> list[bytes]:
        wsgi.caller_of(environ).require_permission(WRITE)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    return on_wsgi(wsgi.VestibuleMiddleware(write, Verifier(**AUTH)))


FACES: dict[str, Callable[[], Ask]] = {
    "fastapi": with_fastapi,
    "flask": with_flask,
    "litestar": with_litestar,
    "django": with_django,
    "rest framework": with_rest_framework,
    "asgi": with_asgi,
    "wsgi": with_wsgi,
}
IN_EACH = pytest.mark.parametrize("face", FACES.values(), ids=FACES)


@IN_EACH
def test_o56_who_has_the_permission_comes_in_and_nobody_else(vestibule: SignedIn, face: Callable[[], Ask]) -> None:
    ask = face()
    vestibule.define_role("billing", "invoices:read", WRITE)
    vestibule.define_role("reader", "invoices:read")
    writer = vestibule.headers(vestibule.token_for("ada", custom_roles=["reader", "billing"]))
    assert ask("/", headers=writer).status_code == 200
    for roles in ([], ["reader"]):
        headers = vestibule.headers(vestibule.token_for("eve", role="admin", custom_roles=roles))
        refused = ask("/", headers=headers)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (403, CHALLENGE)
        assert b'"permission_missing"' in refused.content
        assert WRITE.encode() in refused.content
    vestibule.define_role("billing", "invoices:read")
    assert ask("/", headers=writer).status_code == 403


@IN_EACH
def test_o56_while_nobody_can_tell_nobody_comes_in(vestibule: SignedIn, face: Callable[[], Ask]) -> None:
    ask = face()
    headers = vestibule.headers(vestibule.token_for("ada", custom_roles=["unheard-of"]))
    assert ask("/", headers=headers).status_code == 503
    vestibule.memory.permissions.drop()
    assert ask("/", headers=vestibule.headers(vestibule.token_for("ada", role="admin"))).status_code == 503


@IN_EACH
def test_o56_who_is_not_signed_in_is_told_that_first(face: Callable[[], Ask]) -> None:
    assert face()("/").status_code == 401


@pytest.mark.parametrize("wrong", [None, "", "invoices", "Invoices:write", "invoices:*", 5, ["invoices:write"]])
def test_o56_what_cannot_be_a_permission_is_refused_at_once(wrong: Any) -> None:
    guards = (CurrentUser(Verifier(**AUTH)), for_flask.Vestibule(), litestar, django, for_rest)
    for guard in (*guards, Caller("ada", "user", "s", 0, 0, {})):
        with pytest.raises(ValueError, match="permission is "):
            guard.require_permission(wrong)  # type: ignore[attr-defined]
