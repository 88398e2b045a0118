"""What the fast path has to look up: answered as the framework does, by one look-up, and to no promise's cost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from structlog.contextvars import get_contextvars

from tests.harness.world import FRONT_END, World
from tests.unit.web.test_bodies_let_go import _is_kept, no_collector, scope
from tests.unit.web.test_fast_path import PATHS, past_the_fast_path
from vestibule.flows import identify as flow
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.model.errors import NotSignedIn, SessionOver
from vestibule.model.store import Ports
from vestibule.web.in_flight import Stage
from vestibule.web.layers import fast_path

Headers = list[tuple[str, str]]
PEER = ("192.0.2.7", 4711)  # of the world's clients


class Reads:
    """Counts the reads of a world's database."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self._reading = 0, world.env.store.reading
        monkeypatch.setattr(world.env.store, "reading", self._counted)

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[Ports]:
        self.count += 1
        async with self._reading() as read:
            yield read


def forget(world: World) -> None:
    """What the process remembers is gone, as after a start."""
    for kept in (world.env.memory._tokens, world.env.memory._sessions, world.env.memory._sessions_of_account):
        kept.clear()


SENT: dict[str, Callable[[str], Headers]] = {
    "cookie": lambda token: [("Cookie", f"a=b; access_token={token}")],
    "cookie in crumbs": lambda token: [("Cookie", "a=b"), ("Cookie", f"access_token={token}")],
    "two cookies": lambda token: [("Cookie", f"access_token={token}"), ("Cookie", "access_token=another")],
    "bearer": lambda token: [("Authorization", f"bEaReR \t{token} ")],
    "bearer before cookie": lambda token: [("Authorization", "Bearer wrong"), ("Cookie", f"access_token={token}")],
    "two bearers": lambda token: [("Authorization", f"Bearer {token}")] * 2,
    "an empty bearer": lambda token: [("Authorization", "Bearer "), ("Cookie", f"access_token={token}")],
    "basic": lambda token: [("Authorization", "Basic YTpi"), ("Cookie", f"access_token={token}")],
    "nothing": lambda _: [],
    "garbage": lambda _: [("Authorization", "Bearer a.b.c")],
    "two origins": lambda token: [("Authorization", f"Bearer {token}"), ("Origin", FRONT_END), ("Origin", "null")],
    "two hosts": lambda token: [("Authorization", f"Bearer {token}"), ("Host", "localhost"), ("Host", "localhost")],
    "no host": lambda token: [("Authorization", f"Bearer {token}"), ("Host", "")],
    "chunks": lambda token: [("Authorization", f"Bearer {token}"), ("Transfer-Encoding", "chunked")],
    "two ids": lambda token: [("Authorization", f"Bearer {token}"), ("X-Request-ID", "a"), ("X-Request-ID", "b")],
}


@pytest.mark.any_engine
@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("sent", SENT)
async def test_the_same_answer_by_either_way(world: World, path: str, sent: str, over: bool) -> None:
    await world.register()
    client = await world.sign_in()
    token = client.cookies["access_token"]
    if over:
        await client.post("/api/auth/logout")
    client.cookies.clear()
    answers = []
    async with past_the_fast_path(world, None, client) as behind:
        for asked in (await world.client(None), behind):
            answers += [await asked.get(path, headers=SENT[sent](token)) for _remembered in range(2)]
            forget(world)
    assert len({answer.headers.pop("x-request-id") for answer in answers}) == len(answers)
    looks = [(answer.status_code, answer.content, sorted(answer.headers.multi_items())) for answer in answers]
    assert looks == [looks[0]] * len(looks)


@pytest.mark.parametrize("path", PATHS)
async def test_a_miss_is_answered_without_the_framework(
    world: World, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.register()
    client, reads = await world.sign_in(), Reads(world, monkeypatch)

    async def never(*_asked: object) -> None:
        raise AssertionError("the framework was woken")

    monkeypatch.setattr(world.app, "_app", never)
    assert (await client.get(path)).status_code in {200, 204}
    assert (await client.get(path)).status_code in {200, 204}
    assert reads.count == 1


@pytest.mark.parametrize("path", PATHS)
async def test_a_refusal_costs_one_look_up(world: World, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.register()
    client = await world.sign_in()
    bearer = {"Authorization": f"Bearer {client.cookies['access_token']}"}
    await client.post("/api/auth/logout")
    reads, misses = Reads(world, monkeypatch), world.env.memory.misses
    answer = await client.get(path, headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (401, "session_signed_out")
    assert (reads.count, world.env.memory.misses - misses) == (1, 1)


async def test_without_a_database_a_miss_is_answered_503_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.register()
    client, reads = await world.sign_in(), Reads(world, monkeypatch)
    await world.take_database_away()
    answer = await client.get("/api/users/me")
    assert (answer.status_code, answer.headers["retry-after"], reads.count) == (503, "1", 1)
    assert answer.headers["access-control-allow-origin"] == FRONT_END


class Held:
    """`identify`, held back; it notes in which context it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, reason: Callable[[], Exception] | None = None) -> None:
        self.asked, self.may_go_on = asyncio.Event(), asyncio.Event()
        self.contexts: list[dict[str, Any]] = []
        self._reason = reason
        monkeypatch.setattr(fast_path, "identify", self)

    async def __call__(self, env: Env, access_token: str) -> Caller:
        self.contexts.append(dict(get_contextvars()))
        self.asked.set()
        await self.may_go_on.wait()
        if self._reason is not None:
            raise self._reason()
        return await flow.identify(env, access_token)


async def _during(world: World, held: Held, client: httpx.AsyncClient, change: Callable[[], None]) -> httpx.Response:
    """The answer to a `me` during whose look-up something changes."""
    asking = asyncio.create_task(client.get("/api/users/me"))
    await held.asked.wait()
    change()
    held.may_go_on.set()
    return await asking


@pytest.mark.any_engine
async def test_a_process_that_begins_to_stop_meanwhile_closes_the_connection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.register()
    client, held = await world.sign_in(), Held(monkeypatch)
    answer = await _during(world, held, client, lambda: setattr(world.env.readiness, "draining", True))
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    assert answer.headers["x-request-id"] == held.contexts[0]["request_id"]


@pytest.mark.any_engine
async def test_meanwhile_the_connection_counts_as_worked_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.register()
    client, held = await world.sign_in(), Held(monkeypatch)
    in_flight, stages = world.app._in_flight, []  # type: ignore[attr-defined]
    answer = await _during(world, held, client, lambda: stages.append(in_flight.stage_of(PEER)[0]))
    assert (answer.status_code, stages, len(in_flight)) == (200, [Stage.WORKING], 0)


@pytest.mark.any_engine
@pytest.mark.parametrize(("reason", "status"), [(SessionOver, 401), (ValueError, 500)])
async def test_log_lines_and_the_answer_of_a_refusal_have_one_id(
    world: World, monkeypatch: pytest.MonkeyPatch, reason: type[Exception], status: int
) -> None:
    await world.register()
    client, held = await world.sign_in(), Held(monkeypatch, reason)
    answer = await _during(world, held, client, lambda: None)
    assert (answer.status_code, len(held.contexts)) == (status, 1)
    assert answer.headers["x-request-id"] == held.contexts[0]["request_id"]
    assert answer.headers["access-control-allow-origin"] == FRONT_END
    assert "request_id" not in get_contextvars()


@pytest.mark.any_engine
@pytest.mark.parametrize("reason", [SessionOver, NotSignedIn, ValueError])
async def test_h1_a_request_that_was_refused_after_a_look_up_is_let_go_of(
    world: World, monkeypatch: pytest.MonkeyPatch, reason: type[Exception]
) -> None:
    held = Held(monkeypatch, reason)
    held.may_go_on.set()
    request = scope("GET", "/api/users/me", b"20")
    request["headers"].append((b"authorization", b"Bearer token"))
    with no_collector():
        kept = await _is_kept(world, request)
    assert not kept
