"""Every JSON answer ends with one line break, which Content-Length counts: after curl, a prompt has its own line."""

import json
import re

import httpx

from tests.harness.world import World
from tests.stories.services.test_introspect import PATH, a_service
from vestibule.web.map_reading import ROUTES

STREAM = "/api/revocations"
SIGNED_IN = ("/api/users/me", "/api/users/me", "/api/users/me/sessions", "/.well-known/jwks.json", "/openapi.json")


def ends_right(answer: httpx.Response) -> bool:
    """Whether it is one JSON document of the announced length, in which only the last byte is a line break."""
    told = answer.headers["content-length"] == str(len(answer.content))
    return told and bool(json.loads(answer.content)) and answer.content.find(b"\n") == len(answer.content) - 1


async def every_route(browser: httpx.AsyncClient) -> list[httpx.Response]:
    """What each line of the URL map answers to an empty request."""
    return [
        await browser.request(route.method, re.sub(r"{\w+}", "x", route.path))
        for route in ROUTES
        if route.path != STREAM and route.method != "HEAD"
    ]


async def test_every_json_answer_ends_with_a_line_break(world: World) -> None:
    await world.register()
    stranger, browser, service = await world.client(), await world.sign_in(), await a_service(world)
    answers = [
        *await every_route(stranger),
        *[await browser.get(path) for path in SIGNED_IN],
        await service.post(PATH, data={"token": browser.cookies["access_token"]}),
        *await every_route(browser),
        await stranger.get("/api/nope"),
        await stranger.get("/api/nope%0A"),
        await stranger.delete("/api/healthchecker"),
        await stranger.get("/api/users/me", headers={"Host": "a b"}),
        await stranger.post("/api/auth/login", content=b"x" * 20_000),
        await stranger.post("/api/auth/login", content=b"x", headers={"Content-Type": "text/plain"}),
    ]
    object.__setattr__(world.env, "keys", None)
    answers.append(await stranger.get("/.well-known/jwks.json"))
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 404, 405, 413, 500}
    as_json = [answer for answer in answers if answer.headers.get("content-type", "").startswith("application/json")]
    kinds = {(answer.request.method, answer.request.url.path, answer.status_code) for answer in as_json}
    assert len(kinds) > len(ROUTES) / 2
    assert [(answer.request.url.path, answer.content) for answer in as_json if not ends_right(answer)] == []
