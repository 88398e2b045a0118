"""`vestibule serve`: prepare once, then let granian run the worker processes."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from typing import Annotated

import structlog
import typer
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes
from vestibule.cli.listening import places
from vestibule.cli.supervisor import FINISH_SECONDS, Supervisor
from vestibule.cli.welcome import welcome_when_open
from vestibule.process import garbage, open_files
from vestibule.settings.fields import Settings
from vestibule.settings.reading import ENV_FILE, WrongSettings, slips

_log = structlog.get_logger(__name__)
_PLAIN, _TRACED = "vestibule.app:application", "vestibule.traced:application"
_TRACES = "opentelemetry-exporter-otlp-proto-http"
# A client that does not get through with the head of a request in ten seconds, or in 16 kB, holds one for nothing
# (ASVS 5.0, 15.2.2). Bodies are counted and timed in web/body.py.
_LIMITS = HTTP1Settings(header_read_timeout=10_000, max_buffer_size=16_384)
_BACKLOG = 4096
"""Connections at least that the system keeps waiting for us; Linux's own limit, net.core.somaxconn, may be lower."""


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of VESTIBULE_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port instead of PORT; 0: any that is free.", min=0, max=65535)
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            help="Processes to run. On SQLite a log-out reaches the others after up to a second.", min=1, max=64
        ),
    ] = 1,
) -> None:
    """Start the server.

    On the embedded default it makes the database and the keys on the first start, and brings the schema up to
    date on every start. Another database must be ready: run `vestibule migrate` first.
    """
    # Until granian hears the signal itself: the first process of a container is sent none that it does not ask for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    command_context: CommandContext = context.obj
    settings = command_context.settings_for(_require_traces)
    address, place = places(settings, host, port)
    number = place.getsockname()[1]
    if sys.platform != "linux":
        place.close()
    os.environ["PORT"] = str(number)  # for the workers, whose letters name it
    _tell_slips()
    _tell_weaknesses(command_context)
    asyncio.run(_prepare(command_context))
    open_files.raise_limit()
    connections = _connections(settings)
    program = _TRACED if settings.traces else _PLAIN
    server = Supervisor(
        lambda: welcome_when_open(settings, address, number, workers),
        settings.leaving_seconds,
        program,
        factory=True,
        address=address,
        port=number,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=_LIMITS,
        backlog=max(_BACKLOG, connections),
        backpressure=connections,
        websockets=False,
        workers=workers,
        workers_kill_timeout=FINISH_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
    )
    with place, _room_for_metrics(settings):
        _load(program)
        server.serve()


def _load(program: str) -> None:
    """Import what the workers run, where they are forked: once for all of them, in memory that they share. After the
    place for metrics is known, because prometheus-client looks for that when it is imported.
    """
    if multiprocessing.get_start_method() == "fork":
        with garbage.none_meanwhile():
            import_module(program.partition(":")[0])


def _tell_slips() -> None:
    """Warn of names in `.env` that may be meant for us: the file may be another program's too, so no more than that."""
    for name, meant in slips():
        _log.warning("setting_unknown", name=name, file=str(ENV_FILE), perhaps=meant)


def _tell_weaknesses(command_context: CommandContext) -> None:
    """Warn of settings that weaken the server: it starts, for somebody may have meant them."""
    for finding in command_context.weaknesses():
        _log.warning("setting_weakens", what=finding.what, why=finding.why, remedy=finding.remedy)


@contextlib.contextmanager
def _room_for_metrics(settings: Settings) -> Iterator[None]:
    """Where the workers write what they measure, if they do, so that each can tell of all; docs/metrics.md."""
    if settings.metrics is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="vestibule-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


async def _prepare(command_context: CommandContext) -> None:
    """Meet every fault here, once and in words, instead of in each worker."""
    async with command_context.opened(first_start=True) as env:
        await env.store.ping()


def _connections(settings: Settings) -> int:
    """How many each process may take; raises `WrongSettings` where that would not do for those who follow the feed."""
    within = open_files.connections_within(settings.connections)
    if settings.feed_followers > within // 2:
        raise WrongSettings(
            f"VESTIBULE_FEED_FOLLOWERS: is more than half of the {within} connections that the limit for open files "
            "leaves; raise that (ulimit -n, LimitNOFILE, --ulimit nofile)"
        )
    if within < settings.connections:
        notes.print(f"The limit for open files leaves {within} connections of VESTIBULE_CONNECTIONS; see ulimit -n.")
    return within


def _require_traces(settings: Settings) -> None:
    """Raises `WrongSettings` where what tells OpenTelemetry is wanted, and not installed."""
    if not settings.traces:
        return
    try:
        distribution(_TRACES)
    except PackageNotFoundError:
        raise WrongSettings(
            "VESTIBULE_TRACES: needs more; in a clone of Vestibule: pip install '.[server,traces]'"
        ) from None
