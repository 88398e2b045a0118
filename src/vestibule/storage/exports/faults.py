"""What is wrong with a file of people, or with one row of it."""

from vestibule.process.operator_errors import OperatorError


class UnusableFile(OperatorError):
    """The file cannot be imported. The message names it, and says what to do."""

    status = 2


class UnusableRow(ValueError):
    """One row of a file cannot be read. The message says why, and repeats nothing of the row."""
