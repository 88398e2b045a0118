"""Every answer names its request; so does each line of the log and each event about it; no client chooses the name."""

import asyncio
import json
import re
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from tests.harness.backends import Backend
from tests.harness.process import PASSWORD, PRODUCTION, given_keys, serving
from tests.harness.servers import wait_until
from tests.harness.world import FRONT_END, WEB, World, world_on
from vestibule.storage.sql.schema import events

pytestmark = pytest.mark.any_engine
NAME = "X-Request-ID"
OURS = re.compile(r"[0-9a-f]{32}")
GIVEN = "5f0c7e2a-1b9d-4c7e_8.proxy"
AT_ONCE = 12
PREFLIGHT = {"Origin": FRONT_END, "Access-Control-Request-Method": "POST"}
BEHIND_A_PROXY = replace(WEB, proxies=(ip_network("192.0.2.0/24"),))  # where the tests' clients are


async def test_every_answer_has_one(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    answers = [
        await browser.get("/api/users/me"),
        await browser.get("/api/users/me"),
        await browser.get("/api/auth/verify"),
        await browser.get("/api/healthchecker"),
        await browser.head("/api/healthchecker"),
        await browser.get("/api/nope"),
        await browser.get("/api/nope%0A"),
        await browser.delete("/api/healthchecker"),
        await browser.options("/api/auth/login", headers=PREFLIGHT),
        await browser.get("/api/users/me", headers={"Host": "a b"}),
        await browser.post("/api/auth/login", content=b"x" * 20_000),
        await browser.post("/api/auth/login", json={"email": "ada@example.com", "password": "wrong wrong"}),
        await browser.get("/login"),
        await browser.get("/static/pages.css"),
        await browser.get("/profile/nope"),
    ]
    await world.take_database_away()
    answers.append(await browser.post("/api/auth/refresh"))
    assert {answer.status_code for answer in answers} >= {200, 204, 400, 404, 405, 413, 503}
    ids = [answer.headers.get_list(NAME) for answer in answers]
    assert [found for found in ids if len(found) != 1 or not OURS.fullmatch(found[0])] == []
    assert len({found[0] for found in ids}) == len(answers)


async def test_a_fault_that_nobody_foresaw_is_found_by_its_id(world: World) -> None:
    object.__setattr__(world.env, "keys", None)
    with capture_logs(processors=[merge_contextvars]) as lines:
        answer = await (await world.client()).get("/.well-known/jwks.json")
    assert answer.status_code == 500
    assert [line["request_id"] for line in lines if line["event"] == "unexpected"] == [answer.headers[NAME]]


async def test_scripts_of_a_listed_origin_may_read_it(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    for _ in range(2):
        answer = await browser.get("/api/users/me")
        assert NAME in answer.headers["access-control-expose-headers"]
    elsewhere = await (await world.client("https://elsewhere.example")).get("/api/users/me")
    assert "access-control-expose-headers" not in elsewhere.headers


async def test_g5_nobody_but_a_listed_proxy_gives_it(world: World) -> None:
    answer = await (await world.client()).get("/api/healthchecker", headers={NAME: GIVEN})
    assert OURS.fullmatch(answer.headers[NAME])


@pytest.mark.parametrize("given", [GIVEN, "a", "0" * 128])
async def test_a_listed_proxy_gives_it(backend: Backend, given: str) -> None:
    async with world_on(backend, web=BEHIND_A_PROXY) as world:
        await world.register()
        browser = await world.sign_in()
        for path in ("/api/users/me", "/api/users/me", "/api/nope"):
            answer = await browser.get(path, headers={NAME: given})
            assert answer.headers.get_list(NAME) == [given]


@pytest.mark.parametrize(
    "given", [[""], ["0" * 129], ["a b"], ["a\tb"], ["<b>"], ["a;b"], ["{a}"], ["ä"], ["a", "a"], ["a", "b"]]
)
async def test_what_is_no_id_is_not_taken_from_a_proxy_either(backend: Backend, given: list[str]) -> None:
    async with world_on(backend, web=BEHIND_A_PROXY) as world:
        headers = [(NAME.encode(), text.encode()) for text in given]
        answer = await (await world.client()).get("/api/healthchecker", headers=headers)
        assert OURS.fullmatch(answer.headers[NAME])


async def test_events_carry_it_and_those_of_no_request_have_none(world: World) -> None:
    await world.register()
    browser = await world.client()
    sent = {"email": "ada@example.com", "password": "wrong wrong"}
    with capture_logs(processors=[merge_contextvars]) as lines:
        refused = await browser.post("/api/auth/login", json=sent)
    assert [line["request_id"] for line in lines] == [refused.headers[NAME]]
    async with world.engines.sqlalchemy_reading() as connection:
        rows = (await connection.execute(select(events.c.detail).where(events.c.kind == "sign_in_refused"))).scalars()
        assert [json.loads(detail)["request_id"] for detail in rows] == [refused.headers[NAME]]
    assert get_contextvars() == {}


def test_requests_at_once_are_not_taken_for_one_another(tmp_path: Path) -> None:
    """L1: in a real server, each line about an account has the id of the request that made it."""
    settings = {**PRODUCTION, **given_keys()}

    async def register(client: httpx.AsyncClient, number: int) -> tuple[str, str]:
        email = f"ada-{number}@example.com"
        body = {"name": "Ada", "email": email, "password": PASSWORD, "passwordConfirm": PASSWORD}
        answer = await client.post("/api/auth/register", json=body)
        return answer.json()["data"]["user"]["id"], answer.headers[NAME]

    async def all_at_once(base: str) -> dict[str, str]:
        async with httpx.AsyncClient(base_url=base, headers={"Origin": FRONT_END}, timeout=60) as client:
            return dict(await asyncio.gather(*(register(client, number) for number in range(AT_ONCE))))

    with serving(tmp_path, **settings) as server:
        made = asyncio.run(all_at_once(server.base))
        wait_until(lambda: server.output.count('"registered"') == AT_ONCE, "the lines of the log")
        logged = [json.loads(line) for line in server.output.splitlines() if '"registered"' in line]
    assert {line["account_id"]: line["request_id"] for line in logged} == made
