"""The base of every error that an operator can correct: it ends a command with one line, and no traceback."""

from typing import ClassVar


class OperatorError(Exception):
    """Ends a command. The message says what is wrong and what to do; `status` is the exit status."""

    status: ClassVar[int] = 1
