"""Answer a wrong command line with one line that says what to do, and status 2."""

import sys
from typing import Any

import typer

from vestibule.process.operator_errors import OperatorError

# `UsageError` of the click that typer carries in itself. Typer exports only its subclasses, such as `BadParameter`.
_UsageError: Any = typer.BadParameter.__base__


class WrongUsage(OperatorError):
    """The command line is wrong."""

    status = 2


def run(program: typer.Typer, **context: Any) -> None:
    """Run the command line, and end the process; raises `WrongUsage`, `OperatorError` if the user aborts, and
    `KeyboardInterrupt` for Ctrl+C at a question.
    """
    try:
        status = program(prog_name="vestibule", standalone_mode=False, **context)
    except typer.Abort as fault:
        if isinstance(fault.__context__, KeyboardInterrupt):  # at a question
            raise KeyboardInterrupt from None
        raise OperatorError("aborted") from None
    except _UsageError as fault:
        if not fault.format_message():  # a group without a command: its help is the answer
            fault.show()
            sys.exit(2)
        raise WrongUsage(_line(fault)) from None
    sys.exit(status if isinstance(status, int) else 0)


def _line(fault: Any) -> str:
    said = " ".join(_reason(fault).split()).rstrip(".")
    path = fault.ctx.command_path if fault.ctx is not None else "vestibule"
    return f"{said}; see: {path} --help"


def _reason(fault: Any) -> str:
    """Return what is wrong. Where a library judged the value, its text is about Python's types: say what to give."""
    # typer sets `__cause__` if the library that converts the value refused it.
    if isinstance(fault, typer.BadParameter) and fault.__cause__ is not None and fault.param is not None:
        return f"Invalid value for {fault.param.get_error_hint()}: give {_expected(fault.param)}"
    return str(fault.format_message())


def _expected(param: Any) -> str:
    """Return which values an option takes: choices, or numbers and their range."""
    described = param.type_descriptor
    if described.choices:
        return f"one of {', '.join(str(getattr(choice, 'value', choice)) for choice in described.choices)}"
    number = "a whole number" if described.annotation is int else "a number"
    return f"{number} from {param.min} to {param.max}" if described.is_ranged else number
