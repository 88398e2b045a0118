"""`vestibule serve`: prepare once, then let granian run the worker processes."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from typing import Annotated

import structlog
import typer
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from rich.panel import Panel
from rich.table import Column, Table

from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import Terminal, notes
from vestibule.cli.supervisor import FINISH_SECONDS, Supervisor
from vestibule.process import open_files
from vestibule.protocol.this_machine import LOCALHOST
from vestibule.settings.addresses import listening_address
from vestibule.settings.fields import Settings
from vestibule.settings.reading import ENV_FILE, WrongSettings, slips

_log = structlog.get_logger(__name__)
_PLAIN, _TRACED = "vestibule.app:application", "vestibule.traced:application"
_TRACES = "opentelemetry-exporter-otlp-proto-http"
# Whoever does not get through with the head of a request in ten seconds, or in 16 kB, holds a connection for nothing
# (ASVS 5.0, 15.2.2). Bodies are counted and timed in web/body.py.
_LIMITS = HTTP1Settings(header_read_timeout=10_000, max_buffer_size=16_384)
_BACKLOG = 4096  # connections that the system keeps waiting for us; its own limit may be lower
_LOG_WIDTH = 300
# Where a browser on this machine says localhost.
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, never bound


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
    address, place = _places(settings, host, port)
    number = place.getsockname()[1]
    if sys.platform != "linux":
        place.close()
    os.environ["PORT"] = str(number)  # for the workers, whose letters name it
    _tell_slips()
    _tell_weaknesses(command_context)
    asyncio.run(_prepare(command_context))
    open_files.raise_limit()
    connections = _connections(settings)
    server = Supervisor(
        lambda: _welcome_when_open(settings, address, number, workers),
        settings.leaving_seconds,
        _TRACED if settings.traces else _PLAIN,
        factory=True,
        address=address,
        port=number,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=_LIMITS,
        backlog=_BACKLOG,
        backpressure=connections,
        websockets=False,
        workers=workers,
        workers_kill_timeout=FINISH_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
    )
    with place, _room_for_metrics(settings):
        server.serve()


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


def _welcome_when_open(settings: Settings, host: str, port: int, workers: int) -> None:
    """Say that it listens once it does, so that whoever reads it can call at once."""
    while not _answers(host, port):
        time.sleep(0.02)
    _welcome(settings, host, port, workers)


def _places(settings: Settings, host: str | None, port: int | None) -> tuple[str, socket.socket]:
    """The address to listen on, and a socket that has the port; raises `WrongSettings` with a line for each place that
    cannot be had, that of the metrics too.
    """
    faults = list[str]()
    given = (host, "--host") if host else (settings.host, "VESTIBULE_HOST")
    main = _taken(faults, *given, settings.port if port is None else port, "PORT")
    if settings.metrics is not None:
        address, number = settings.metrics
        beside = _taken(faults, address, "VESTIBULE_METRICS", number, "VESTIBULE_METRICS")
        if beside is not None:
            beside[1].close()
    if faults or main is None:
        raise WrongSettings("\n".join(faults))
    return main


def _taken(
    faults: list[str], name: str, named_by: str, port: int, numbered_by: str
) -> tuple[str, socket.socket] | None:
    try:
        address = _address(name, named_by)
        return address, _place(address, port, numbered_by)
    except WrongSettings as fault:
        faults.append(str(fault))
        return None


def _address(name: str, setting: str) -> str:
    """The IP address to listen on, which is all that granian takes; raises `WrongSettings`."""
    try:
        found = socket.getaddrinfo(listening_address(name), None, type=socket.SOCK_STREAM)
    except ValueError as fault:
        raise WrongSettings(f"{setting}: {fault}") from None
    except OSError as fault:
        raise WrongSettings(f"{setting}: {name} cannot be looked up: {fault.strerror}") from None
    # IPv4 first, where a name has both: what is asked for localhost mostly asks there.
    return str(min(found, key=lambda each: each[0] != socket.AF_INET)[4][0])


def _place(host: str, port: int, setting: str) -> socket.socket:
    """A socket that has this port, or any if it is 0; raises `WrongSettings` where somebody listens at it already.

    granian itself would share the port with another. A port that the system chose stays bound, where Linux lets granian
    listen nevertheless, so that nobody else is given it in the meantime.
    """
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
    except OSError as fault:
        place.close()
        remedy = f"choose another port with {setting}=" + (" or --port" if setting == "PORT" else "")
        raise WrongSettings(f"{setting}: cannot listen on {host}:{port}: {fault.strerror}; {remedy}") from None
    return place


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


def _answers(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection((_REACHED_AT.get(host, host), port), 1):
        return True
    return False


def _welcome(settings: Settings, host: str, port: int, workers: int) -> None:
    lines = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    shown_host = "localhost" if _REACHED_AT.get(host, host) in LOCALHOST else host
    lines.add_row(
        "Listening on", f"[bold]http://{shown_host}:{port}[/]" + (f"  ({workers} processes)" if workers > 1 else "")
    )
    lines.add_row("Mode", _mode(settings))
    lines.add_row(
        "Data", str(settings.data.absolute()) if settings.embedded else _without_password(settings.database_address)
    )
    if redis := settings.redis_url.get_secret_value():
        lines.add_row("Redis", _without_password(redis))
    lines.add_row("Mail", _mail(settings))
    lines.add_row("Front-ends", ", ".join(settings.front_ends) or "the pages of its own")
    lines.add_row("Pages", f"{settings.url if settings.production else f'http://{shown_host}:{port}'}/login")
    if not settings.production:
        lines.add_row("API", f"http://{shown_host}:{port}/docs")
    # In a log, which is no terminal, a path is worth more than a straight margin.
    where = notes if notes.is_terminal else Terminal(stderr=True, width=_LOG_WIDTH)
    where.print(Panel(lines, title="Vestibule", title_align="left", expand=False))


def _mode(settings: Settings) -> str:
    if settings.production:
        return "production"
    letters = "" if settings.email_host else ", letters are shown in this log"
    return f"[yellow]development[/]: cookies travel over plain HTTP{letters}"


def _mail(settings: Settings) -> str:
    if settings.email_host:
        return f"{settings.email_host}:{settings.email_port}"
    return f"no EMAIL_HOST, so letters go to {settings.data.absolute() / 'mail'}"


def _without_password(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"
