"""The layers: the server and the world of the tests have the same ones, in the same order."""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest
from fastapi import FastAPI

from tests.docs.paths import ROOT
from tests.harness.world import World
from vestibule.web import layers
from vestibule.web.layers.draining import Draining
from vestibule.web.layers.fast_path import FastPath
from vestibule.web.layers.headers import HeadersLayer
from vestibule.web.layers.unread_body import UnreadBody

ORDER = [FastPath, Draining, UnreadBody, HeadersLayer, FastAPI]
PUT_TOGETHER = ("src/vestibule/app.py", "tests/harness/applications.py")


def chain(app: object) -> Iterator[type]:
    """The classes of an application and of what it wraps."""
    while app is not None:
        yield type(app)
        app = getattr(app, "_app", None)


def every_layer() -> set[str]:
    """The names of the classes in `web/layers` that wrap an application."""
    modules = [import_module(f"{layers.__name__}.{found.name}") for found in iter_modules(layers.__path__)]
    own = [
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__
    ]
    return {kind.__name__ for kind in own if "app" in inspect.signature(kind).parameters}


def called(path: str) -> set[str]:
    """The names of what a file calls."""
    calls = [node.func for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.Call)]
    return {getattr(call, "id", getattr(call, "attr", "")) for call in calls}


async def test_the_world_has_every_layer_in_their_order(world: World) -> None:
    assert list(chain(world.app)) == ORDER
    assert {kind.__name__ for kind in ORDER[:-1]} == every_layer()


@pytest.mark.parametrize("path", PUT_TOGETHER)
def test_the_server_and_the_world_have_the_layers_put_on_in_one_place(path: str) -> None:
    assert "add_layers" in called(path)
    assert called(path) & every_layer() == set()


@pytest.mark.parametrize("path", ["/api/users/me", "/healthz/live", "/nowhere"])
async def test_a_process_that_stops_closes_each_connection(world: World, path: str) -> None:
    await world.register()
    client = await world.sign_in()
    assert "connection" not in (await client.get(path)).headers
    world.env.readiness.draining = True
    assert (await client.get(path)).headers["connection"] == "close"


async def test_what_the_headers_layer_answers_itself_closes_it_too(world: World) -> None:
    client, asks = await world.client(), {"Access-Control-Request-Method": "GET"}
    assert "connection" not in (await client.options("/api/users/me", headers=asks)).headers
    world.env.readiness.draining = True
    answered = await client.options("/api/users/me", headers=asks)
    assert (answered.status_code, answered.headers["connection"]) == (204, "close")
