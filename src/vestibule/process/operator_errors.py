"""The base class of errors that an operator can correct. A command ends with their message, without a traceback."""

from typing import ClassVar


class OperatorError(Exception):
    """Ends a command. The message says what is wrong and what to do; `status` is the exit status."""

    status: ClassVar[int] = 1
