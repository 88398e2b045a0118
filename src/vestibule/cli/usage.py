"""Answer a wrong command line with one line that says what to do, and status 2."""

import sys
from typing import Any

import typer

from vestibule.process.operator_errors import OperatorError

_UsageError: Any = typer.BadParameter.__mro__[1]  # typer does not export it


class WrongUsage(OperatorError):
    """The command line is wrong."""

    status = 2


def run(program: typer.Typer, **context: Any) -> None:
    """Run the command line, and end the process; raises `WrongUsage`, and `OperatorError` if the user aborts."""
    try:
        status = program(prog_name="vestibule", standalone_mode=False, **context)
    except typer.Abort:
        raise OperatorError("aborted") from None
    except _UsageError as fault:
        if not fault.format_message():  # a group without a command: its help is the answer
            fault.show()
            sys.exit(2)
        raise WrongUsage(_line(fault)) from None
    sys.exit(status if isinstance(status, int) else 0)


def _line(fault: Any) -> str:
    said = " ".join(str(fault.format_message()).split()).rstrip(".")
    path = fault.ctx.command_path if fault.ctx is not None else "vestibule"
    return f"{said}; see: {path} --help"
