"""End a command that cannot go on: print a line that says what to do, and exit with a status.

An unforeseen exception is a bug of ours. The traceback of a bug is shown without values, because people paste a
terminal's output into reports as it is.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import structlog

from vestibule.cli import console
from vestibule.model.errors import StoreUnavailable
from vestibule.process import interrupts, missing, streams
from vestibule.process.operator_errors import OperatorError
from vestibule.process.system_faults import reason
from vestibule.process.tracebacks import format_error
from vestibule.protocol.one_line import one_line

AS_LOG = "--as-log"
"""An argument of `wiring.migrating`, the process that migrates the database: log errors instead of printing them. A
server in production passes it.
"""
_BUG = "this is a bug in Vestibule; please report"
_log = structlog.get_logger(__name__)


@contextmanager
def explained(as_log: bool = False) -> Iterator[None]:
    """End the process with a sentence for an error that an operator can correct, with a traceback for any other.

    `as_log`: log the sentence or the traceback instead of printing it. Each line of a sentence is one log event.
    """
    streams.prepare()
    end, end_at_bug = (_log_end, _log_bug) if as_log else (_end, _end_at_bug)
    try:
        with interrupts.as_exit():
            yield
    except SystemExit as exit_request:
        _end_when_written(exit_request, end)
    except OperatorError as fault:
        end(str(fault), fault.status)
    except ModuleNotFoundError as fault:
        end(missing.sentence(fault), 1)
    except StoreUnavailable as fault:
        if fault.lasting:  # its message says what to repair
            end(str(fault), 2)
        end(f"DATABASE_URL: {_database_sentence(fault)}", 1)
    except OSError as fault:  # about a file, a disk or a network, which an operator can correct
        about = f"{one_line(str(fault.filename))}: " if fault.filename else ""
        end(f"{about}{reason(fault) or str(fault) or 'the system did not say why'}", 1)
    except Exception as fault:
        end_at_bug(fault)


def _end_when_written(exit_request: SystemExit, end: Callable[[str, int], NoReturn]) -> None:
    """Raise `exit_request` after all output is written. If the output is lost, call `end` with the reason. The status
    is then that of `exit_request` if it means failure, otherwise that of `OutputLost`.
    """
    try:
        sys.stdout.flush()
    except streams.OutputLost as fault:
        code = exit_request.code
        end(str(fault), code if isinstance(code, int) and code else fault.status)
    raise exit_request


def _database_sentence(fault: StoreUnavailable) -> str:
    why = " ".join(str(fault).split()) or "no answer"
    if fault.server is None:
        return f"the database cannot do this now: {why}"
    return (
        f"the database at {fault.server} cannot do this now: {why}; check that it runs and accepts connections from "
        "this machine; vestibule doctor tells more"
    )


def _end(message: str, status: int) -> NoReturn:
    console.fail(message)
    sys.exit(status)


def _end_at_bug(fault: Exception) -> NoReturn:
    sys.stderr.write(f"{format_error(fault)}\n")
    _end(f"{_BUG} the lines above: they contain nothing private", 1)


def _log_end(message: str, status: int) -> NoReturn:
    for line in message.split("\n") if message else ():  # empty if the reader of the output has left
        _log.error("start_refused", why=line, status=status)
    sys.exit(status)


def _log_bug(fault: Exception) -> NoReturn:
    _log.critical("start_failed", why=f"{_BUG} this line: it contains nothing private", status=1, exc_info=fault)
    sys.exit(1)
