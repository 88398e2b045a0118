"""End a command that cannot go on: print a line that says what to do, and exit with a status.

An unforeseen exception is a bug of ours. Its traceback is shown without values, because people paste a terminal's
output into reports as it is.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vestibule.cli import console
from vestibule.model.errors import StoreUnavailable
from vestibule.process import missing, streams
from vestibule.process.operator_errors import OperatorError
from vestibule.process.tracebacks import format_error
from vestibule.protocol.one_line import one_line


@contextmanager
def explained() -> Iterator[None]:
    """End the process with a sentence for an error that an operator can correct, with a traceback for any other."""
    streams.prepare()
    try:
        yield
    except SystemExit as end:
        _end_when_written(end)
    except OperatorError as fault:
        _end(str(fault), fault.status)
    except ModuleNotFoundError as fault:
        _end(missing.sentence(fault), 1)
    except StoreUnavailable as fault:
        if fault.lasting:
            _end(str(fault), 2)
        _end(f"DATABASE_URL: {_database_sentence(fault)}", 1)
    except OSError as fault:  # about a file, a disk or a network, which an operator can correct
        about = f"{one_line(str(fault.filename))}: " if fault.filename else ""
        _end(f"{about}{fault.strerror or str(fault) or 'the system did not say why'}", 1)
    except Exception as fault:
        sys.stderr.write(f"{format_error(fault)}\n")
        _end("this is a bug in Vestibule; please report the lines above: they contain nothing private", 1)


def _end_when_written(end: SystemExit) -> None:
    """Raise `end` after all output is written. If it cannot be written, raise SystemExit with a failure instead."""
    try:
        sys.stdout.flush()
    except streams.OutputLost as fault:
        _end(str(fault), int(end.code) if isinstance(end.code, int) and end.code else fault.status)
    raise end


def _database_sentence(fault: StoreUnavailable) -> str:
    why = " ".join(str(fault).split()) or "no answer"
    if fault.server is None:
        return f"the database cannot do this now: {why}"
    return (
        f"the database at {fault.server} cannot do this now: {why}; check that it runs and accepts connections from "
        "this machine; vestibule doctor tells more"
    )


def _end(message: str, status: int) -> None:
    console.fail(message)
    sys.exit(status)
