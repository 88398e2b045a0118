"""A service in each framework with routes that demand a second factor, a recent sign-in, both, and a role as well.

Where there are guards, each demand is one of its own, and on `/all` the role comes last.
"""

from collections.abc import Callable
from typing import Annotated, Any

import flask
from fastapi import APIRouter, Depends, FastAPI
from litestar import Litestar, Request, Router, get
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.unit.client.asking import AUTH, Ask, on_asgi, on_wsgi
from tests.unit.client.django_site import with_async_django, with_django, with_rest_framework
from vestibule.client import Caller, Verifier, asgi, wsgi
from vestibule.client.fastapi import CurrentUser
from vestibule.client.flask import Vestibule, current_caller
from vestibule.client.litestar import VestibulePlugin, require_level, require_recent, with_role

LEVEL, SECONDS = 2, 300


def with_fastapi() -> Ask:
    """`/all` is in a router that demands the level of all its routes."""
    app, user = FastAPI(), CurrentUser(Verifier(**AUTH))
    level, recent = Depends(user.require_level(LEVEL)), Depends(user.require_recent(SECONDS))
    router = APIRouter(dependencies=[recent, level])

    @app.get("/level")
    async def of_level(caller: Annotated[Caller, level]) -> dict[str, str]:
        return {"id": caller.id}

    @app.get("/recent")
    async def of_recent(caller: Annotated[Caller, recent]) -> dict[str, str]:
        return {"id": caller.id}

    @app.get("/both", dependencies=[level])
    async def of_both(caller: Annotated[Caller, recent]) -> dict[str, str]:
        return {"id": caller.id}

    @router.get("/all")
    async def of_all(caller: Annotated[Caller, Depends(user.with_role("admin"))]) -> dict[str, str]:
        return {"id": caller.id}

    app.include_router(router)
    return on_asgi(app)


def with_flask() -> Ask:
    app = flask.Flask("service")
    guards = Vestibule(app, Verifier(**AUTH))
    level, recent = guards.require_level(LEVEL), guards.require_recent(SECONDS)

    def me() -> dict[str, str]:
        return {"id": current_caller.id}

    for name, view in {
        "level": level(me),
        "recent": recent(me),
        "both": level(recent(me)),
        "all": recent(level(guards.with_role("admin")(me))),
    }.items():
        app.add_url_rule(f"/{name}", name, view)
    return on_wsgi(app)


def with_litestar() -> Ask:
    """`/all` is in a router that demands the role of all its routes."""

    def me(name: str, *guards: Any) -> Any:
        @get(f"/{name}", guards=[*guards])
        async def told(request: Request[Caller, str, Any]) -> dict[str, str]:
            return {"id": request.user.id}

        return told

    level, recent = require_level(LEVEL), require_recent(SECONDS)
    router = Router("", route_handlers=[me("all", recent, level)], guards=[with_role("admin")])
    handlers = [me("level", level), me("recent", recent), me("both", level, recent), router]
    return on_asgi(Litestar(handlers, plugins=[VestibulePlugin(Verifier(**AUTH))]))


def in_code(path: str, caller: Caller) -> bytes:
    """What a handler does that has no guards: it asks for one after the other."""
    if path == "/all":
        caller.require("admin")
    if path != "/recent":
        caller.require_level(LEVEL)
    if path != "/level":
        caller.require_recent(SECONDS)
    return b'{"id": "%s"}' % caller.id.encode()


def with_starlette() -> Ask:
    async def told(request: Any) -> JSONResponse:
        in_code(request.url.path, asgi.caller_of(request))
        return JSONResponse({"id": asgi.caller_of(request).id})

    routes = [Route(path, told) for path in ("/level", "/recent", "/both", "/all")]
    return on_asgi(asgi.VestibuleMiddleware(Starlette(routes=routes), Verifier(**AUTH)))


def with_asgi() -> Ask:
    async def told(scope: Any, _receive: Any, send: Any) -> None:
        body = in_code(scope["path"], asgi.caller_of(scope))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return on_asgi(asgi.VestibuleMiddleware(told, Verifier(**AUTH)))


def with_wsgi() -> Ask:
    def told(environ: Any, start_response: Any) -> list[bytes]:
        body = in_code(environ["PATH_INFO"], wsgi.caller_of(environ))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body]

    return on_wsgi(wsgi.VestibuleMiddleware(told, Verifier(**AUTH)))


def with_django_tasks() -> Ask:
    ask = with_async_django()
    return lambda address, **how: ask(f"/task{address}", **how)


WITH_GUARDS: dict[str, Callable[[], Ask]] = {
    "fastapi": with_fastapi,
    "flask": with_flask,
    "django": with_django,
    "django, views of tasks": with_django_tasks,
    "rest framework": with_rest_framework,
    "litestar": with_litestar,
}
IN_CODE: dict[str, Callable[[], Ask]] = {"starlette": with_starlette, "asgi": with_asgi, "wsgi": with_wsgi}
