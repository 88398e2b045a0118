"""Store a user's tokens between requests: in memory, or in a file that only its owner can read."""

import errno
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

from vestibule.protocol.files import read_bounded


@dataclass(frozen=True)
class Tokens:
    """An access and a refresh token. `expires_at` is the access token's `exp`, in seconds since 1970."""

    access: str
    refresh: str
    expires_at: int

    def __repr__(self) -> str:
        return f"Tokens(expires_at={self.expires_at})"


class TokenStore(Protocol):
    """Stores one pair of tokens."""

    def load(self) -> Tokens | None:
        """Return the stored tokens, or None if nobody is signed in."""

    def save(self, tokens: Tokens) -> None:
        """Replace the stored tokens."""

    def clear(self) -> None:
        """Delete the stored tokens."""


class InMemory:
    """Stores tokens until the process ends."""

    def __init__(self) -> None:
        self._tokens: Tokens | None = None

    def load(self) -> Tokens | None:
        return self._tokens

    def save(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def clear(self) -> None:
        self._tokens = None


_USUAL_CHARACTERS = 2_000  # two tokens
_MAX_BYTES = 100_000


class InFile:
    """Stores tokens in a file with mode 0600. Replaced as a whole: a crash leaves the old pair or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Tokens | None:
        try:
            tokens = Tokens(**json.loads(read_bounded(self._path, _MAX_BYTES)))
        except (FileNotFoundError, ValueError, TypeError, RecursionError):  # no file, or one with other content
            return None
        members = (tokens.access, tokens.refresh, tokens.expires_at)
        return tokens if tuple(map(type, members)) == (str, str, int) else None

    def save(self, tokens: Tokens) -> None:
        written = self._written(json.dumps(asdict(tokens)))
        try:
            written.replace(self._path)
        except OSError:
            written.unlink(missing_ok=True)
            raise

    def try_out(self) -> None:
        """Check that the file can be written, before somebody signs in; raises `OSError`."""
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self._path))
        self._written(" " * _USUAL_CHARACTERS).unlink()

    def _written(self, text: str) -> Path:
        """Write `text` to a new file in the same folder, with mode 0600 from the start, and return its path. If that
        fails, delete the file and raise `OSError`.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=self._path.parent, delete=False) as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
        return Path(file.name)

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)
