"""The server's process: settings, an `Env`, HTTP in front of it, and the background work.

The parts are put together here and in `wiring`. Only `wiring.traced` imports this module. ASGI servers take
`application` as a factory: `granian --interface asgi --factory vestibule.app:application`. Uvicorn has the same option.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from vestibule.doctor.at_start import log_weaknesses
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
from vestibule.settings.to_policy import to_policy
from vestibule.web.application import build, make_site
from vestibule.web.connections import Bounds, shedding
from vestibule.web.layers.fast_path import PATHS
from vestibule.web.layers.order import around
from vestibule.web.pages.template_loader import Templates
from vestibule.web.site import Site
from vestibule.web.web_policy import WebPolicy
from vestibule.wiring import background
from vestibule.wiring.opening import brand, opened, read_settings, renderer, templates


def application() -> ASGIApp:
    """Return what `worker` does, and log the settings that weaken the server. For any ASGI server; raises
    `WrongSettings`.
    """
    program = worker()
    log_weaknesses(read_settings())
    return program


def worker() -> ASGIApp:
    """Return the ASGI application for the settings in the environment, for the workers of `vestibule serve`, which has
    logged what weakens them once for all. Raises `WrongSettings`.
    """
    return assembled(begun())


def begun() -> Settings:
    """Prepare the process for requests and signals, and return its settings. Raises `WrongSettings`."""
    shorten_time_slices()
    pass_on_the_first()
    return read_settings()


def assembled(chosen: Settings, threads: type[NicedThreads] = NicedThreads) -> ASGIApp:
    """Return the ASGI application for these settings. It hashes and signs on `threads`."""
    log = logs.without_waiting(chosen.log_level, pretty=not chosen.production, masked=chosen.log_addresses == "masked")
    site = _site(chosen)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            async with (
                opened(chosen, threads, make_secret=True) as env,
                background.running(env),
                AsyncExitStack() as stack,
            ):
                if chosen.metrics:
                    stack.enter_context(listening(*chosen.metrics))
                    await stack.enter_async_context(sampled(env, lambda: log.dropped))
                await stack.enter_async_context(shedding(_bounds(chosen), site.under_way))
                site.env_holder.env = env
                yield
        finally:
            log.drain()

    layered = around(build(site, lifespan), site)
    return Metered(layered, PATHS) if chosen.metrics else layered


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
    page_templates = Templates(brand(chosen), chosen.language, templates(chosen, "pages"))
    return make_site(to_policy(chosen), web, clock, page_templates, renderer(chosen, clock))


def _bounds(chosen: Settings) -> Bounds:
    return Bounds(chosen.port, open_files.connections_within(chosen.connections), chosen.trusted_proxies)
