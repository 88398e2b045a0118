"""The server's process: settings, an `Env`, HTTP in front of it, and the loops that go on beside it.

Everything is put together here and in `wiring`; only `traced` imports this module. Servers take `application` as a
factory: `granian --interface asgi --factory vestibule.app:application`, and uvicorn likewise.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from vestibule.model.clock import SystemClock
from vestibule.observability import logs
from vestibule.observability.metrics.listener import listening
from vestibule.observability.metrics.metered import Metered
from vestibule.observability.metrics.sampling import sampled
from vestibule.process import open_files
from vestibule.process.first_signal import pass_on_the_first
from vestibule.process.niced_threads import NicedThreads
from vestibule.process.priority import shorten_time_slices
from vestibule.settings.fields import Settings
from vestibule.settings.policy import policy
from vestibule.web.application import build, make_site
from vestibule.web.connections import Bounds, shedding
from vestibule.web.layers.fast_path import PATHS
from vestibule.web.layers.order import around
from vestibule.web.pages.templates import Templates
from vestibule.web.policy import WebPolicy
from vestibule.web.site import Site
from vestibule.wiring import background
from vestibule.wiring.opening import brand, opened, read_settings, renderer, templates


def application() -> ASGIApp:
    """The ASGI application for the settings in the environment; raises `WrongSettings`."""
    shorten_time_slices()
    pass_on_the_first()
    return assembled(read_settings())


def assembled(chosen: Settings, threads: type[NicedThreads] = NicedThreads) -> ASGIApp:
    """The same for given settings; `threads` make its hashes and signatures."""
    log = logs.without_waiting(chosen.log_level, pretty=not chosen.production, masked=chosen.log_addresses == "masked")
    site = _site(chosen)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            async with (
                opened(chosen, threads, make_secret=True) as env,
                background.running(env),
                AsyncExitStack() as measuring,
            ):
                if chosen.metrics:
                    measuring.enter_context(listening(*chosen.metrics))
                    await measuring.enter_async_context(sampled(env, lambda: log.dropped))
                await measuring.enter_async_context(shedding(_bounds(chosen), site.under_way))
                site.late.env = env
                yield
        finally:
            log.drain()

    whole = around(build(site, lifespan), site)
    return Metered(whole, PATHS) if chosen.metrics else whole


def _site(chosen: Settings) -> Site:
    clock = SystemClock()
    web = WebPolicy(
        origins=frozenset(chosen.front_ends),
        secure_cookies=chosen.production,
        interactive_docs=not chosen.production,
        proxies=chosen.trusted_proxies,
        proxy_header=chosen.proxy_header,
        hosts=chosen.hosts,
        cookie_prefix=chosen.cookie_prefix,
    )
    shown = Templates(brand(chosen), chosen.language, templates(chosen, "pages"))
    return make_site(policy(chosen), web, clock, shown, renderer(chosen, clock))


def _bounds(chosen: Settings) -> Bounds:
    return Bounds(chosen.port, open_files.connections_within(chosen.connections), chosen.trusted_proxies)
