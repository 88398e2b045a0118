"""Log one line when `vestibule serve` listens, and one when it ends. In production they stand in for the banner."""

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


class Ending:
    """What is known of the end of a server: why, since when it stops, and how many workers had to be killed."""

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
def logged_end(ending: Ending, wanted: bool) -> Iterator[None]:
    """Log the end of the block, if `wanted`. `cli.endings` logs an error that ends it."""
    status = 0
    try:
        yield
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if wanted:
            ending.log(status)
        raise
    if wanted:
        ending.log(status)


def _url_of(host: str, port: int) -> str:
    return f"http://{hosts.in_url(host)}:{port}"
