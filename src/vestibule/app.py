"""Assemble the server of one process: settings, an `Env`, HTTP in front of it, and the background work.

`vestibule serve` loads `worker`. Other ASGI servers load `application` as a factory:
`granian --interface asgi --factory vestibule.app:application`. Uvicorn has the same option. Only `wiring.traced`
imports this module.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp

from vestibule.doctor import examination
from vestibule.doctor.at_start import log_weaknesses
from vestibule.flows.env import Env
from vestibule.model.clock import SystemClock
from vestibule.model.findings import Finding
from vestibule.observability import logs
from vestibule.observability.metrics.listener import listening
from vestibule.observability.metrics.metered import Metered
from vestibule.observability.metrics.sampling import sampled
from vestibule.process import open_files
from vestibule.process.first_signal import pass_on_only_first_signal
from vestibule.process.niced_threads import NicedThreads
from vestibule.process.priority import shorten_time_slices
from vestibule.settings.fields import Settings
from vestibule.settings.to_policy import to_policy
from vestibule.web.application import build_app, make_site
from vestibule.web.connections import Bounds, shedding
from vestibule.web.layers.fast_path import FAST_PATHS
from vestibule.web.layers.order import add_layers
from vestibule.web.pages.template_loader import Templates
from vestibule.web.site import Site
from vestibule.web.web_policy import WebPolicy
from vestibule.wiring import background
from vestibule.wiring.mailing import brand, renderer, templates
from vestibule.wiring.opening import open_env, read_settings
from vestibule.wiring.passkey_domain import require_passkey_domain

_log = structlog.get_logger(__name__)


def application() -> ASGIApp:
    """Return the ASGI application for any ASGI server, and log the settings that weaken it. Raises `WrongSettings`."""
    program = worker()
    log_weaknesses(read_settings())
    return program


def worker() -> ASGIApp:
    """Return the ASGI application for a worker of `vestibule serve`, whose parent has logged the settings that weaken
    it. Raises `WrongSettings`.
    """
    return assemble(prepare_process())


def prepare_process() -> Settings:
    """Prepare the process for requests and signals, and return its settings. Raises `WrongSettings`."""
    shorten_time_slices()
    pass_on_only_first_signal()
    return read_settings()


def assemble(settings: Settings, threads: type[NicedThreads] = NicedThreads) -> ASGIApp:
    """Return the ASGI application for these settings. Password hashes and signatures are made on `threads`."""
    log = logs.configure_without_blocking(
        settings.log_level, pretty=not settings.production, masked=settings.log_addresses == "masked"
    )
    site = _site(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            async with (
                _opened(settings, threads) as env,
                background.running(env),
                AsyncExitStack() as stack,
            ):
                if settings.metrics:
                    stack.enter_context(listening(*settings.metrics))
                    await stack.enter_async_context(sampled(env, lambda: log.dropped))
                # `shedding` cuts idle connections when too many are open.
                await stack.enter_async_context(shedding(_bounds(settings), site.in_flight))
                site.env_holder.env = env  # handlers find it there, from the first request on
                yield
        except Exception:
            _log.critical("application_failed", exc_info=True)
            raise
        finally:
            log.drain()

    layered = add_layers(build_app(site, lifespan), site)
    return Metered(layered, FAST_PATHS) if settings.metrics else layered


@asynccontextmanager
async def _opened(settings: Settings, threads: type[NicedThreads]) -> AsyncIterator[Env]:
    """Open what a server needs. Raises what `open_env` and `require_passkey_domain` raise."""
    async with open_env(settings, threads, make_secret=True) as env:
        await require_passkey_domain(settings, env.store)
        yield env


def _site(settings: Settings) -> Site:
    clock = SystemClock()
    web = WebPolicy(
        origins=frozenset(settings.front_ends),
        secure_cookies=settings.production,
        interactive_docs=not settings.production,
        proxies=settings.trusted_proxies,
        proxy_header=settings.proxy_header,
        hosts=settings.hosts,
        cookie_prefix=settings.cookie_prefix,
    )
    page_templates = Templates(brand(settings), settings.language, templates(settings, "pages"))
    return make_site(
        to_policy(settings), web, clock, page_templates, renderer(settings, clock), examine=lambda: _examine(settings)
    )


def _examine(settings: Settings) -> list[Finding]:
    """Return what the doctor finds, in an event loop of its own: call it in a thread."""
    return asyncio.run(examination.examine(settings, SystemClock()))


def _bounds(settings: Settings) -> Bounds:
    return Bounds(settings.port, open_files.connections_within(settings.connections), settings.trusted_proxies)
