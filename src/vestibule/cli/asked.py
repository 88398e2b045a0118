"""What a person is asked for: at a terminal, or as the next line of a pipe, in whatever bytes that comes."""

import sys

import typer

from vestibule.cli.typed import is_text
from vestibule.cli.usage import WronglyTyped

_LONGEST_LINE = 10_000


def asked(what: str, *, hidden: bool = False) -> str:
    """The answer, without the end of its line; raises `WronglyTyped` where none comes, or what is no text."""
    try:
        answer = typer.prompt(what, hide_input=hidden, err=True) if sys.stdin.isatty() else _next_line(what)
    except UnicodeDecodeError:
        answer = "\udcff"  # as a locale that knows no UTF-8 has it read
    if not is_text(answer):
        raise WronglyTyped(f"{what.lower()}: what was given on the standard input is not UTF-8")
    if not answer:
        raise WronglyTyped(f"no {what.lower()} was given: type it, or give it as a line on the standard input")
    return answer


def sure_of(question: str) -> None:
    """Ask whether something is meant; raises `typer.Abort` where it is not, or nobody says so."""
    try:
        typer.confirm(question, abort=True, err=True)
    except UnicodeDecodeError:
        raise WronglyTyped("what was given on the standard input is not UTF-8, and so no answer") from None


def _next_line(what: str) -> str:
    """As it is, but for the end of the line of any system: only the one that is there, for a password may have more."""
    try:
        line = sys.stdin.readline(_LONGEST_LINE)
    except OSError as fault:
        raise WronglyTyped(f"{what.lower()}: the standard input cannot be read: {fault.strerror}") from None
    if len(line) == _LONGEST_LINE:
        raise WronglyTyped(f"{what.lower()}: the line on the standard input is too long")
    return line.removesuffix("\n").removesuffix("\r") if line.endswith("\n") else line
