"""How a command line that was typed wrongly is answered: one line that says what to do, and status 2."""

import sys
from typing import Any

import typer

from vestibule.process.operator_errors import OperatorError

_UsageError: Any = typer.BadParameter.__mro__[1]  # which typer does not name


class WronglyTyped(OperatorError):
    """What was typed is no command line of ours."""

    status = 2


def run(program: typer.Typer, **context: Any) -> None:
    """Run what was typed, and end the process; raises `WronglyTyped`."""
    try:
        status = program(prog_name="vestibule", standalone_mode=False, **context)
    except typer.Abort:
        raise OperatorError("aborted") from None
    except _UsageError as fault:
        if not fault.format_message():  # a group without a command: its help is the answer
            fault.show()
            sys.exit(2)
        raise WronglyTyped(_line(fault)) from None
    sys.exit(status if isinstance(status, int) else 0)


def _line(fault: Any) -> str:
    said = " ".join(str(fault.format_message()).split()).rstrip(".")
    path = fault.ctx.command_path if fault.ctx is not None else "vestibule"
    return f"{said}; see: {path} --help"
