"""`lifespan`: the verifier starts with an application and is closed at its end, in each framework that has one."""

import threading
from typing import Any

import pytest
from fastapi import FastAPI
from litestar import Litestar
from starlette.applications import Starlette

from tests.harness.servers import free_port
from vestibule.client import NotVestibuleError, Verifier
from vestibule.client.asgi import lifespan
from vestibule.client.testing import SignedIn

APPS = {
    "starlette": lambda running: Starlette(lifespan=running),
    "fastapi": lambda running: FastAPI(lifespan=running),
    "litestar": lambda running: Litestar([], lifespan=[running]),
}


async def lived(app: Any, while_it_runs: Any) -> list[dict[str, Any]]:
    """What an application says to a server that starts and ends it."""
    sent: list[dict[str, Any]] = []
    coming = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> dict[str, Any]:
        if sent:
            while_it_runs()
        return next(coming)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    return sent


@pytest.mark.parametrize("made", APPS.values(), ids=APPS)
async def test_a_verifier_runs_as_long_as_the_application(made: Any) -> None:
    verifier = Verifier(f"http://localhost:{free_port()}", "vsk_x")
    before, during = set(threading.enumerate()), set[threading.Thread]()

    def seen() -> None:
        during.update(thread for thread in threading.enumerate() if thread.name == "vestibule-client")

    sent = await lived(made(lifespan(verifier)), seen)
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert during - before
    assert not any(thread.is_alive() for thread in during - before)


async def test_with_a_wrong_url_the_application_does_not_start() -> None:
    verifier = Verifier("https://nowhere.invalid", "vsk_x")
    with pytest.raises(NotVestibuleError):
        await lived(Starlette(lifespan=lifespan(verifier)), lambda: None)


async def test_in_a_project_s_own_tests_it_starts_without_a_server(vestibule: SignedIn) -> None:
    sent = await lived(Starlette(lifespan=lifespan(Verifier("https://nowhere.invalid", "vsk_x"))), lambda: None)
    assert sent[0]["type"] == "lifespan.startup.complete"
