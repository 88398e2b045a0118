"""Run a worker process of granian, while its parent lives. If an exception ends it, log the exception as an event."""

import sys
from typing import Any

import structlog
from granian.server.mp import MPServer

from vestibule.observability import logs
from vestibule.process.operator_errors import OperatorError
from vestibule.process.orphan import end_with_parent

_log = structlog.get_logger(__name__)


def run_worker(production: bool, parent: int, finish_seconds: float, *arguments: Any, **options: Any) -> None:
    """Run granian's worker; exit with a status other than 0 if it fails. `parent` is the id of the process that started
    the worker. When that process is gone, the worker ends, after `finish_seconds` at the latest.
    """
    # A worker that was spawned, not forked, has not inherited its parent's log. It logs as its parent does until
    # `vestibule.app` configures the log.
    if production:
        logs.configure_for_parent("info")
    end_with_parent(parent, finish_seconds)
    try:
        # granian would call this function itself, in the new process. It returns when the worker has stopped.
        MPServer._spawn_asgi_lifespan_worker(*arguments, **options)
    except OperatorError as fault:
        for line in str(fault).split("\n"):
            _log.critical("worker_failed", why=line)
        sys.exit(fault.status)
    except Exception:
        _log.critical("worker_failed", exc_info=True)
        sys.exit(1)
