"""Print, once `vestibule serve` listens, its address, its data and its mail server."""

import contextlib
import socket
import time

from rich.panel import Panel
from rich.table import Column, Table

from vestibule.cli.console import Terminal, notes
from vestibule.protocol.this_machine import LOCALHOST
from vestibule.settings.fields import Settings

# At which address this machine reaches a server that listens on all of its addresses.
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, never bound
_LOG_WIDTH = 300


def welcome_when_open(settings: Settings, host: str, port: int, workers: int) -> None:
    """Wait until the server listens, then print the welcome, so that its reader can connect at once."""
    while not _answers(host, port):
        time.sleep(0.02)
    _welcome(settings, host, port, workers)


def _answers(host: str, port: int) -> bool:
    """Return whether a server listens there."""
    with contextlib.suppress(OSError), socket.create_connection((_REACHED_AT.get(host, host), port), 1):
        return True
    return False


def _welcome(settings: Settings, host: str, port: int, workers: int) -> None:
    lines = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    here = base_url(host, port)
    lines.add_row("Listening on", f"[bold]{here}[/]" + (f"  ({workers} processes)" if workers > 1 else ""))
    lines.add_row("Mode", _mode(settings))
    lines.add_row(
        "Data", str(settings.data.absolute()) if settings.embedded else _without_password(settings.database_address)
    )
    if redis := settings.redis_url.get_secret_value():
        lines.add_row("Redis", _without_password(redis))
    lines.add_row("Mail", _mail(settings))
    lines.add_row("Allowed origins", ", ".join(settings.front_ends) or "none; its own pages need none")
    lines.add_row("Pages", f"{settings.url if settings.production else here}/login")
    if not settings.production:
        lines.add_row("Emails", f"{here}/letters")
        lines.add_row("API", f"{here}/docs")
    # In a log a path must stay on one line, so the panel is wide.
    where = notes if notes.is_terminal else Terminal(stderr=True, width=_LOG_WIDTH)
    where.print(Panel(lines, title="Vestibule", title_align="left", expand=False))


def base_url(host: str, port: int) -> str:
    """Return the URL at which a browser on this machine reaches a server that listens on `host` and `port`."""
    reached_at = _REACHED_AT.get(host, host)
    name = "localhost" if reached_at in LOCALHOST else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def _mode(settings: Settings) -> str:
    if settings.production:
        return "production"
    letters = "" if settings.email_host else ", emails are shown in this log"
    return f"[yellow]development[/]: cookies travel over plain HTTP{letters}"


def _mail(settings: Settings) -> str:
    if settings.email_host:
        return f"{settings.email_host}:{settings.email_port}"
    return f"no EMAIL_HOST, so emails go to {settings.data.absolute() / 'mail'}"


def _without_password(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"
