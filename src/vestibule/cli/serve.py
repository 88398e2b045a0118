"""`vestibule serve`: prepare the database and the keys once, then let granian run the worker processes."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from types import FrameType
from typing import Annotated, NoReturn

import structlog
import typer
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from vestibule.cli.command_context import CommandContext
from vestibule.cli.listening import listener_for
from vestibule.cli.server_log import ServerEnd, logged_end
from vestibule.cli.supervisor import FINISH_SECONDS, Supervisor
from vestibule.cli.welcome import welcome_when_open
from vestibule.process import garbage, open_files
from vestibule.settings.fields import Settings
from vestibule.settings.reading import ENV_FILE, WrongSettings, likely_typos

_log = structlog.get_logger(__name__)
_WITHOUT_TRACES, _WITH_TRACES = "vestibule.app:worker", "vestibule.wiring.traced:worker"
_TRACES_PACKAGE = "opentelemetry-exporter-otlp-proto-http"
# The head of a request must arrive within ten seconds and 16 KiB, so that no slow client holds a connection for longer
# (ASVS 5.0, 15.2.2). hyper refuses a head that does not fit into its buffer. web/body.py limits bodies.
_HEAD_LIMITS = HTTP1Settings(header_read_timeout=10_000, max_buffer_size=16_384)
# Without a handler of granian's own, its lines are formatted like all others.
_GRANIANS_LOG = {"incremental": True, "handlers": {}, "loggers": {"_granian": {"propagate": True}}}
_BACKLOG = 4096
"""The least number of new connections that we ask the system to queue. Linux queues at most net.core.somaxconn."""


def serve(
    context: typer.Context,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address to listen on, instead of VESTIBULE_HOST.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(metavar="PORT", help="Port to listen on, instead of PORT; 0: any free port.", min=0, max=65535),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            metavar="NUMBER",
            help="Worker processes. On SQLite, a sign-out at one reaches the others within a second.",
            min=1,
            max=64,
        ),
    ] = 1,
) -> None:
    """Start the server.

    With the default SQLite file, the first start creates database and keys, and every start migrates the schema. For
    any other database, run `vestibule migrate` first.

    With NODE_ENV=production, each line of output is JSON, on standard error: `server_started` when it listens,
    `server_stopped` at its end, `start_refused` if it cannot start. Otherwise it prints where it listens and what it
    uses, and then readable lines.
    """
    server_end = ServerEnd()
    # Handle SIGTERM here until granian does: the first process of a container gets no signal that it does not handle.
    signal.signal(signal.SIGTERM, partial(_exit, server_end))
    command_context: CommandContext = context.obj
    settings = command_context.settings_checked_by(_require_traces)
    with logged_end(server_end, settings.production):
        _serve(command_context, server_end, host, port, workers)


def _exit(server_end: ServerEnd, number: int, _frame: FrameType | None) -> NoReturn:
    server_end.record_signal(number)
    sys.exit(0)


def _serve(
    command_context: CommandContext, server_end: ServerEnd, host: str | None, port: int | None, workers: int
) -> None:
    settings = command_context.settings
    address, listener = listener_for(settings, host, port)
    with listener:
        bound_port = listener.getsockname()[1]
        if sys.platform != "linux":  # elsewhere granian could not bind a port that this process holds
            listener.close()
        os.environ["PORT"] = str(bound_port)  # for the workers: links in emails contain it
        _warn_of_unknown_names()
        command_context.log_weaknesses()
        asyncio.run(_prepare(command_context))
        open_files.raise_limit()
        program = _WITH_TRACES if settings.traces else _WITHOUT_TRACES
        welcome = partial(welcome_when_open, settings, command_context.data_places(), address, bound_port, workers)
        supervisor = _supervisor(settings, program, address, bound_port, workers, welcome, server_end)
        with _metrics_folder(settings):
            _load(program)
            supervisor.run(settings.production)


def _supervisor(
    settings: Settings,
    program: str,
    address: str,
    port: int,
    workers: int,
    welcome: Callable[[], None],
    server_end: ServerEnd,
) -> Supervisor:
    """Return granian, set up for this program. Raises `WrongSettings` as `_connections` does."""
    connections = _connections(settings)
    return Supervisor(
        welcome,
        settings.draining_seconds,
        server_end,
        program,
        factory=True,  # `program` names a function that returns the ASGI application
        address=address,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=_HEAD_LIMITS,
        backlog=max(_BACKLOG, connections),
        backpressure=connections,  # how many connections each worker accepts at once
        websockets=False,
        workers=workers,
        workers_kill_timeout=FINISH_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
        log_dictconfig=_GRANIANS_LOG,
    )


def _load(program: str) -> None:
    """Import the workers' program before they are forked, so that they share its memory. Call this inside
    `_metrics_folder`, because prometheus-client reads the folder's name when it is imported.
    """
    if multiprocessing.get_start_method() == "fork":
        with garbage.collection_paused():
            import_module(program.partition(":")[0])


def _warn_of_unknown_names() -> None:
    """Warn of names in `.env` that look like misspelled settings. Such a name may be another program's, so only
    warn.
    """
    for name, meant in likely_typos():
        _log.warning("setting_unknown", name=name, file=str(ENV_FILE), perhaps=meant)


@contextlib.contextmanager
def _metrics_folder(settings: Settings) -> Iterator[None]:
    """Provide a folder for the block where each worker writes its metrics, so that each can report those of all
    (docs/metrics.md). Does nothing if no metrics are wanted.
    """
    if settings.metrics is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="vestibule-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


async def _prepare(command_context: CommandContext) -> None:
    """Open everything once, so that a fault is reported here in a sentence, instead of by each worker."""
    async with command_context.opened(create_missing=True) as env:
        await env.store.ping()


def _connections(settings: Settings) -> int:
    """Return how many connections each process may accept. Raises `WrongSettings` if followers of the feed could take
    more than half of them.
    """
    within = open_files.connections_within(settings.connections)
    if (settings.feed_followers or 0) > within // 2:
        raise WrongSettings(
            f"VESTIBULE_FEED_FOLLOWERS: is more than half of the {within} connections that the limit for open files "
            "leaves; raise that limit (ulimit -n, LimitNOFILE, --ulimit nofile)"
        )
    if within < settings.connections:
        _log.warning(
            "connections_limited",
            connections=within,
            hint="the limit for open files allows no more of VESTIBULE_CONNECTIONS; raise it (ulimit -n, LimitNOFILE)",
        )
    return within


def _require_traces(settings: Settings) -> None:
    """Raise `WrongSettings` if traces are wanted and the exporter of OpenTelemetry is not installed."""
    if not settings.traces:
        return
    try:
        distribution(_TRACES_PACKAGE)
    except PackageNotFoundError:
        raise WrongSettings(
            "VESTIBULE_TRACES: needs the extra `traces`; in a clone of Vestibule: pip install '.[server,traces]'"
        ) from None
