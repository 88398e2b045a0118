"""The server's process: settings, an `Env`, HTTP in front of it, and the loop that delivers letters.

Everything is put together here and in `wiring`; nobody imports this module. Servers take `application` as a
factory: `granian --interface asgi --factory vestibule.app:application`, and uvicorn likewise.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp

from vestibule import logs, settings, wiring
from vestibule.flows.deliver import deliver_next
from vestibule.flows.env import Env
from vestibule.web.application import build
from vestibule.web.headers import OutermostLayer
from vestibule.web.policy import WebPolicy

_POLL_SECONDS = 1.0
_log = structlog.get_logger(__name__)


def application() -> ASGIApp:
    """The ASGI application for the settings in the environment; raises `WrongSettings`."""
    chosen = settings.read()
    logs.configure(chosen.log_level, pretty=not chosen.production)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with wiring.opened(chosen) as env:
            app.state.env = env
            postman = asyncio.create_task(_deliver_letters(env))
            yield
            postman.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await postman

    web = WebPolicy(
        origins=frozenset(chosen.origins),
        secure_cookies=chosen.production,
        interactive_docs=not chosen.production,
    )
    return OutermostLayer(build(chosen.policy(), web, lifespan), web)


async def _deliver_letters(env: Env) -> None:
    """Deliver what is due, then wait for a nudge or a second. No fault ends the loop."""
    while True:
        try:
            while await deliver_next(env):
                pass
        except Exception:
            _log.exception("delivery_failed")
        env.letters_waiting.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(env.letters_waiting.wait(), _POLL_SECONDS)
