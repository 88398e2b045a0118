"""Measure how long a new connection waits for its answer beside many that are open and idle."""

from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter

from measure import scripts
from measure.scripts import ME
from measure.server import HEALTH, Server, vestibule
from measure.speed.plan import Plan
from measure.speed.results import Idle
from measure.wire import Asker, request
from vestibule.process import open_files

_EMAIL = "ada@example.com"
_NEW = 50


async def measure_idle_connections(plan: Plan, folder: Path, settings: dict[str, str]) -> Idle:
    """Open many connections, on each of which one request is sent; then measure new ones, which ask for `me`."""
    open_files.raise_limit()
    async with vestibule(folder, settings) as server, AsyncExitStack() as kept:
        look = await _look(server)
        opened = [await _asked(server, kept, request("GET", HEALTH)) for _ in range(plan.connections)]
        new = []
        for _ in range(_NEW):
            async with AsyncExitStack() as soon_closed:
                new.append(await _asked(server, soon_closed, look))
    return Idle(len(opened), max(opened), new)


async def _look(server: Server) -> bytes:
    async with Asker(server.port) as asker:
        await asker.ask(scripts.registration(_EMAIL), expected=201)
        answer = await asker.ask(scripts.sign_in(_EMAIL), expected=200)
        look = scripts.look(ME, scripts.tokens_of(answer))
        await asker.ask(look, expected=200)
    return look


async def _asked(server: Server, kept: AsyncExitStack, sent: bytes) -> float:
    """Return the seconds from opening a connection to its first answer. The connection stays open as long as `kept`."""
    begun = perf_counter()
    asker = await kept.enter_async_context(Asker(server.port))
    await asker.ask(sent, expected=200)
    return perf_counter() - begun
