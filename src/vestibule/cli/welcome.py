"""Once `vestibule serve` listens, print its address, its data and its mail server. In production, log one line."""

import contextlib
import socket
import time

from rich.markup import escape
from rich.panel import Panel
from rich.table import Column, Table

from vestibule.cli.command_context import Places
from vestibule.cli.console import Terminal, notes
from vestibule.cli.server_log import log_started
from vestibule.protocol import hosts
from vestibule.protocol.this_machine import LOCALHOST
from vestibule.settings.fields import Settings

# At which address this machine reaches a server that listens on all of its addresses.
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, never bound
_LOG_WIDTH = 300


def welcome_when_open(settings: Settings, places: Places, host: str, port: int, workers: int) -> None:
    """Wait until the server listens, then say so, so that a reader can connect at once."""
    while not _answers(host, port):
        time.sleep(0.02)
    tell = log_started if settings.production else _welcome
    tell(settings, places, host, port, workers)


def _answers(host: str, port: int) -> bool:
    """Return whether a server listens there."""
    with contextlib.suppress(OSError), socket.create_connection((_REACHED_AT.get(host, host), port), 1):
        return True
    return False


def _welcome(settings: Settings, places: Places, host: str, port: int, workers: int) -> None:
    """Print the welcome of development mode."""
    lines = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    here = escape(base_url(host, port))
    lines.add_row("Listening on", f"[bold]{here}[/]" + (f"  ({workers} processes)" if workers > 1 else ""))
    lines.add_row("Mode", _mode(settings))
    server = f"{places.database}://{places.database_at}"
    lines.add_row("Data", escape(str(settings.data.absolute()) if settings.embedded else server))
    if places.redis:
        lines.add_row("Redis", escape(places.redis))
    lines.add_row("Mail", escape(_mail(settings)))
    lines.add_row("Allowed origins", escape(", ".join(settings.front_ends)) or "none; its own pages need none")
    for name, path in (("Pages", "login"), ("Example emails", "letters"), ("API", "docs")):
        lines.add_row(name, f"{here}/{path}")
    # In a log a path must stay on one line, so the panel is wide.
    where = notes if notes.is_terminal else Terminal(stderr=True, width=_LOG_WIDTH)
    where.print(Panel(lines, title="Vestibule", title_align="left", expand=False))


def base_url(host: str, port: int) -> str:
    """Return the URL at which a browser on this machine reaches a server that listens on `host` and `port`."""
    reached_at = _REACHED_AT.get(host, host)
    name = "localhost" if reached_at in LOCALHOST else hosts.in_url(host)
    return f"http://{name}:{port}"


def _mode(settings: Settings) -> str:
    letters = "" if settings.email_host else ", emails are shown in this log"
    return f"[yellow]development[/]: cookies travel over plain HTTP{letters}"


def _mail(settings: Settings) -> str:
    if settings.email_host:
        return f"{settings.email_host}:{settings.email_port}"
    return f"no EMAIL_HOST, so emails go to {settings.data.absolute() / 'mail'}"
