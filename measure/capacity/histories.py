"""`python -m measure.capacity.histories`: measure what rows cost that strangers can add in any number.

It measures starts beside a million revocations, most of them over, beside a million events, and beside accounts with a
hundred thousand sessions each, in turn with starts on an empty database; and the heaviest requests of such accounts. It
writes that part of docs/capacity.md. `ROWS` replaces the million.
"""

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import uvloop

from measure.capacity.histories_fill import FILLS, LIVE, PEOPLE, ROWS, people
from measure.capacity.histories_page import write
from measure.machine import Machine
from measure.postgres import Postgres
from measure.server import Server, vestibule
from tests.harness.forms import csrf_in
from tests.harness.process import PASSWORD, UNLIMITED, given_keys, run
from vestibule.storage.sql import engine
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.migrate import migrate

_ROUNDS = 3


@dataclass
class Found:
    """The figures of one kind of database. `starts`: seconds and megabytes of each start, by what the database was
    filled with. `requests`: the seconds of each request, and the longest that a health check waited meanwhile.
    """

    starts: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    requests: dict[str, tuple[float, float]] = field(default_factory=dict)


def main() -> None:
    """Run the command."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_both())
    write(Machine.this(), ROWS, found)


async def _both() -> dict[str, Found]:
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        on_sqlite = await _measured(there, lambda name: f"sqlite:///{there}/{name}.sqlite3")
        postgres = Postgres()
        try:
            await asyncio.to_thread(postgres.create)
            for name in ("empty", *FILLS):
                await postgres.admin(f"CREATE DATABASE {name}")
            address = postgres.address().removesuffix("/vestibule")
            return {"SQLite": on_sqlite, "PostgreSQL": await _measured(there, lambda name: f"{address}/{name}")}
        finally:
            postgres.remove()


async def _measured(folder: Path, address_of: Callable[[str], str]) -> Found:
    found = Found()
    for name, fill in {"empty": None, **FILLS}.items():
        async with _open(address_of(name)) as engines:
            await migrate(engines)
            await people(engines)
            if fill is not None:
                await fill(engines)
    for _ in range(_ROUNDS):
        for name in ("empty", *FILLS):
            found.starts.setdefault(name, []).append(await _start(folder, address_of(name)))
    found.requests = await _requests(folder, address_of("sessions"))
    return found


@asynccontextmanager
async def _open(address: str) -> AsyncIterator[Engines]:
    engines = engine.connect(address)
    try:
        yield engines
    finally:
        await engines.close()


async def _start(folder: Path, address: str) -> tuple[float, float]:
    begun = perf_counter()
    async with vestibule(folder, _settings(address)) as server:
        seconds = perf_counter() - begun
        return seconds, server.megabytes()[0]


def _settings(address: str) -> dict[str, str]:
    return {"DATABASE_URL": address, "VESTIBULE_SESSIONS_PER_ACCOUNT": str(LIVE), **given_keys(), **UNLIMITED}


async def _requests(folder: Path, address: str) -> dict[str, tuple[float, float]]:
    async with vestibule(folder, _settings(address)) as server:
        return await asyncio.to_thread(_asked, server, folder, address)


def _asked(server: Server, folder: Path, address: str) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    twice = {"currentPassword": PASSWORD, "password": "another horse", "passwordConfirm": "another horse"}

    def timed(name: str, ask: Callable[[], Any]) -> None:
        with _asking_for_health(server.port) as waits:
            begun = perf_counter()
            ask()
            seconds = perf_counter() - begun
        found[name] = seconds, max(waits)

    page, others, password, delete = (_signed_in(server.port, who) for who in PEOPLE[:4])
    csrf = csrf_in(delete.get("/profile/delete"))
    given = {"csrf": csrf, "currentPassword": PASSWORD}
    timed("the security page", lambda: page.get("/profile/security").raise_for_status())
    timed("the download of one's data", lambda: page.get("/profile/data").raise_for_status())
    timed("sign out all others", lambda: others.delete("/api/users/me/sessions").raise_for_status())
    timed("change the password", lambda: password.patch("/api/users/me/password", json=twice).raise_for_status())
    timed("delete one's account", lambda: _expect(delete.post("/profile/delete", data=given), 303))
    command = ("users", "disable", "disable@example.com")
    timed("`vestibule users disable`", lambda: _expect_done(run(folder, *command, **_settings(address))))
    return found


def _expect(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:500]}")


def _expect_done(done: Any) -> None:
    if done.returncode:
        raise RuntimeError(done.stderr)


def _signed_in(port: int, who: str) -> httpx.Client:
    client = httpx.Client(base_url=f"http://localhost:{port}", headers={"Sec-Fetch-Site": "same-origin"}, timeout=60)
    answer = client.post("/api/auth/login", json={"email": f"{who}@example.com", "password": PASSWORD})
    _expect(answer, 200)
    return client


@contextmanager
def _asking_for_health(port: int) -> Iterator[list[float]]:
    """Yield the seconds that each health check takes, which another client sends one after the other during
    the block.
    """
    waits, over, begun_asking = list[float](), threading.Event(), threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as other:
            while not over.wait(0.005):
                begun = perf_counter()
                other.get("/healthz/live").raise_for_status()
                waits.append(perf_counter() - begun)
                begun_asking.set()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        begun_asking.wait()
        waits.clear()
        yield waits
    finally:
        over.set()
        asking.join()


if __name__ == "__main__":
    main()
