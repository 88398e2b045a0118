"""The server's process: settings, an `Env`, HTTP in front of it, and the loops that go on beside it.

Everything is put together here and in `wiring`; only `traced` imports this module. Servers take `application` as a
factory: `granian --interface asgi --factory vestibule.app:application`, and uvicorn likewise.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from vestibule.flows.env import Env
from vestibule.model.clock import SystemClock
from vestibule.observability import logs
from vestibule.observability.metrics.listener import listening
from vestibule.observability.metrics.metered import Metered
from vestibule.observability.metrics.sampling import sampled
from vestibule.process import open_files
from vestibule.process.niced_threads import NicedThreads
from vestibule.process.priority import come_first
from vestibule.process.told_once import pass_on_the_first
from vestibule.settings.fields import Settings
from vestibule.settings.policy import policy
from vestibule.web.application import build
from vestibule.web.connections import Bounds, shedding
from vestibule.web.layers.draining import Draining
from vestibule.web.layers.fast_path import PATHS, FastPath
from vestibule.web.layers.headers import OutermostLayer
from vestibule.web.pages.render import Pages
from vestibule.web.policy import WebPolicy
from vestibule.web.under_way import UnderWay
from vestibule.wiring import background
from vestibule.wiring.opening import brand, opened, read_settings, renderer, templates


def application() -> ASGIApp:
    """The ASGI application for the settings in the environment; raises `WrongSettings`."""
    come_first()
    pass_on_the_first()
    return assembled(read_settings())


def assembled(chosen: Settings, threads: type[NicedThreads] = NicedThreads) -> ASGIApp:
    """The same for given settings; `threads` make its hashes and signatures."""
    under_way = UnderWay()
    log = logs.without_waiting(chosen.log_level, pretty=not chosen.production, masked=chosen.log_addresses == "masked")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with (
                opened(chosen, threads, make_secret=True) as env,
                background.running(env),
                AsyncExitStack() as measuring,
            ):
                if chosen.metrics:
                    measuring.enter_context(listening(*chosen.metrics))
                    await measuring.enter_async_context(sampled(env, lambda: log.dropped))
                await measuring.enter_async_context(shedding(_bounds(chosen), under_way))
                app.state.env = env
                yield
        finally:
            log.drain()

    web = WebPolicy(
        origins=frozenset(chosen.front_ends),
        secure_cookies=chosen.production,
        interactive_docs=not chosen.production,
        proxies=chosen.trusted_proxies,
        proxy_header=chosen.proxy_header,
        hosts=chosen.hosts,
        cookie_prefix=chosen.cookie_prefix,
    )
    clock = SystemClock()
    pages = Pages(brand(chosen), chosen.language, templates(chosen, "pages"))
    inner = build(policy(chosen), web, pages, renderer(chosen, clock), lifespan)
    inner.state.env = None

    def env_of() -> Env | None:
        env: Env | None = inner.state.env
        return env

    whole = FastPath(Draining(OutermostLayer(inner, web, clock), env_of, under_way), env_of, web)
    return Metered(whole, PATHS) if chosen.metrics else whole


def _bounds(chosen: Settings) -> Bounds:
    return Bounds(chosen.port, open_files.connections_within(chosen.connections), chosen.trusted_proxies)
