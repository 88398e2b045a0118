"""Ask for input at a terminal. If the standard input is no terminal, read its next line, which may hold any bytes."""

import sys

import typer

from vestibule.cli.usage import WrongUsage
from vestibule.protocol.utf8 import is_utf8

_LONGEST_LINE = 10_000  # characters


def ask(what: str, *, hidden: bool = False) -> str:
    """Ask for `what`, such as `Password`, and return the answer without its line break. `hidden`: do not show what is
    typed.

    Raises `WrongUsage` for an answer that is empty, too long or not UTF-8, and `typer.Abort` for Ctrl+C or Ctrl+D at
    the terminal.
    """
    try:
        answer = typer.prompt(what, hide_input=hidden, err=True) if sys.stdin.isatty() else _next_line(what)
    except UnicodeDecodeError:
        answer = "\udcff"  # stands for a wrong byte, which is refused below
    if not is_utf8(answer):
        raise WrongUsage(f"{what.lower()}: what was given on the standard input is not UTF-8")
    if not answer:
        raise WrongUsage(f"no {what.lower()} given: type one, or give it as a line on the standard input")
    return answer


def confirm(question: str) -> None:
    """Ask for a confirmation. Raises `typer.Abort` if it is denied or missing, `WrongUsage` if it is not UTF-8."""
    try:
        typer.confirm(question, abort=True, err=True)
    except UnicodeDecodeError:
        raise WrongUsage("the answer on the standard input is not UTF-8") from None


def _next_line(what: str) -> str:
    """Return the next line without its line break (LF or CR LF). Other white space stays. Raises `WrongUsage`."""
    try:
        line = sys.stdin.readline(_LONGEST_LINE)
    except OSError as fault:
        raise WrongUsage(f"{what.lower()}: the standard input cannot be read: {fault.strerror}") from None
    if len(line) == _LONGEST_LINE:
        raise WrongUsage(f"{what.lower()}: the line on the standard input is too long")
    return line.removesuffix("\n").removesuffix("\r") if line.endswith("\n") else line
