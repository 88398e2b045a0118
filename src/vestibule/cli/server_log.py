"""Log one line when `vestibule serve` listens, and one when it ends. In production these lines replace the banner."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from vestibule import __version__
from vestibule.cli.command_context import Places
from vestibule.protocol import hosts
from vestibule.settings.fields import Settings

_log = structlog.get_logger(__name__)


def log_started(settings: Settings, places: Places, host: str, port: int, workers: int) -> None:
    """Log where the server listens, where its data is, and its versions; never a user or a password."""
    _log.info(
        "server_started",
        version=__version__,
        schema=places.schema,
        listening=_url_of(host, port),
        url=settings.own_base,
        metrics=_url_of(*settings.metrics) if settings.metrics else None,
        database=places.database,
        database_at=places.database_at,
        redis=places.redis,
        mail=f"{settings.email_host}:{settings.email_port}" if settings.email_host else None,
        processes=workers,
    )


class ServerEnd:
    """What is known of a server's end: why it ends, when it began to stop, and how many workers had to be killed."""

    def __init__(self) -> None:
        self.why = "the start failed"
        self.killed = 0
        self._since: float | None = None

    def record_signal(self, number: int) -> None:
        """Record a stop signal; later ones do not count. Signal handlers call this, so it does not log."""
        if self._since is None:
            self.why, self._since = signal.Signals(number).name, time.monotonic()

    def log(self, status: int) -> None:
        """Log why the server ended, how many seconds it took after the signal, and its exit status."""
        seconds = None if self._since is None else round(time.monotonic() - self._since, 1)
        _log.info("server_stopped", why=self.why, draining_seconds=seconds, workers_killed=self.killed, status=status)


@contextmanager
def logged_end(server_end: ServerEnd, production: bool) -> Iterator[None]:
    """Log how the block ended, in production only. Log nothing for an error: `cli.endings` does that."""
    try:
        yield
    except SystemExit as exit_request:
        if production:
            server_end.log(_status_of(exit_request))
        raise
    if production:
        server_end.log(0)


def _status_of(exit_request: SystemExit) -> int:
    """Return the exit status as Python sets it: 0 without a code, 1 for a text."""
    code = exit_request.code
    return code if isinstance(code, int) else int(code is not None)


def _url_of(host: str, port: int) -> str:
    return f"http://{hosts.in_url(host)}:{port}"
