"""Store the session of `vestibule login` in a file. Errors name the file, and say what to do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vestibule.client import InFile, NotStoredError, Tokens
from vestibule.process.operator_errors import OperatorError


class SessionFile(InFile):
    """Stores tokens as `InFile` does, but `load`, `save` and `clear` raise `OperatorError`. `InFile.try_out` is
    inherited, and still raises `NotStoredError`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    @property
    def exists(self) -> bool:
        """Return whether there is anything at the path, even if it holds no session."""
        return os.path.lexists(self.path)

    def load(self) -> Tokens | None:
        """Return the stored tokens, or None; raises `OperatorError`."""
        with self._explained("read"):
            return super().load()

    def save(self, tokens: Tokens) -> None:
        """Replace the stored tokens; raises `OperatorError`."""
        with self._explained("stored"):
            super().save(tokens)

    def clear(self) -> None:
        """Delete the stored tokens; raises `OperatorError`."""
        with self._explained("deleted"):
            super().clear()

    def note_damage(self) -> None:
        """Do nothing. `InFile.load` calls this for a damaged file, to log it; here the commands print it."""

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        """If the block raises `NotStoredError`, raise an `OperatorError` instead. Its message says that the session
        cannot be read, stored or deleted (`done`), and what to do.
        """
        try:
            yield
        except NotStoredError as fault:
            raise OperatorError(
                f"{self.path}: the session cannot be {done} here: {fault.reason}; move away what is in its way, or set "
                "HOME to a folder of yours"
            ) from None
