"""A user's session in a file. An error of the file names its path, and says what to do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vestibule.client import InFile, Tokens
from vestibule.process.operator_errors import OperatorError


class KeptSession(InFile):
    """Raises `OperatorError` in the place of `OSError`, except in `try_out`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    @property
    def is_there(self) -> bool:
        """Return whether the path exists, with a session or not."""
        return os.path.lexists(self.path)

    def load(self) -> Tokens | None:
        """Return the stored tokens, or None; raises `OperatorError`."""
        with self._explained("read"):
            return super().load()

    def save(self, tokens: Tokens) -> None:
        """Replace the stored tokens; raises `OperatorError`."""
        with self._explained("kept"):
            super().save(tokens)

    def clear(self) -> None:
        """Delete the stored tokens; raises `OperatorError`."""
        with self._explained("taken away"):
            super().clear()

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            raise OperatorError(
                f"{self.path}: the session in this place cannot be {done}: {fault.strerror}; move away what is in its "
                "way, or set HOME to a folder of yours"
            ) from None
