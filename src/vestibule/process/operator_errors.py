"""What an operator can mend: the base of every error that ends a command with one line, and no traceback."""

from typing import ClassVar


class OperatorError(Exception):
    """A command ends here. The message says what is wrong and what to do; `status` is the process's exit status."""

    status: ClassVar[int] = 1
