"""Store a user's tokens between requests: in memory, or in a file that only its owner can read."""

import errno
import json
import logging
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

from vestibule.client.errors import NotStoredError
from vestibule.protocol.files import read_bounded


@dataclass(frozen=True)
class Tokens:
    """An access and a refresh token. `expires_at` is when the access token expires, in seconds since 1970 by this
    machine's clock, which may differ from Vestibule's: the token's lifetime is counted from when it was requested.
    """

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


SENDABLE = re.compile(r"[A-Za-z0-9_.~+/=-]+")
"""What a token is made of (RFC 6750, section 2.1): safe to send in a header, and to print."""

_USUAL_CHARACTERS = 2_000  # about the length of two tokens
_MAX_BYTES = 100_000  # of a file that is read
_log = logging.getLogger(__name__)


class InFile:
    """Stores tokens in a file with mode 0600. The file is replaced as a whole: a crash leaves the old pair or the new
    one.

    If the file holds no pair of tokens, nobody is signed in, and a warning names the file. Raises `NotStoredError` if
    the system does not let the file be read, written or deleted.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, str | os.PathLike) or not str(path):
            raise ValueError("path is the path of a file, such as session.json")
        self._path = Path(path)
        self._warned = False

    def load(self) -> Tokens | None:
        try:
            tokens = _tokens_in(read_bounded(self._path, _MAX_BYTES))
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise self._not_stored("read", fault) from None
        except (ValueError, TypeError, RecursionError):
            self.note_damage()
            return None
        return tokens

    def save(self, tokens: Tokens) -> None:
        try:
            self._replace(json.dumps(asdict(tokens)))
        except OSError as fault:
            raise self._not_stored("kept", fault) from None
        self._warned = False

    def clear(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as fault:
            raise self._not_stored("deleted", fault) from None

    def try_out(self) -> None:
        """Check that the file can be written, before somebody signs in; raises `NotStoredError`."""
        try:
            self._require_no_directory()
            self._write_temporary(" " * _USUAL_CHARACTERS).unlink()
        except OSError as fault:
            raise self._not_stored("kept", fault) from None

    def _replace(self, text: str) -> None:
        self._require_no_directory()
        temporary = self._write_temporary(text)
        try:
            temporary.replace(self._path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def _require_no_directory(self) -> None:
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))

    def _write_temporary(self, text: str) -> Path:
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

    def _not_stored(self, done: str, fault: OSError) -> NotStoredError:
        reason = fault.strerror or type(fault).__name__
        return NotStoredError(f"{self._path}: the tokens cannot be {done}: {reason}", reason)

    def note_damage(self) -> None:
        """Log that the file is damaged. Logs once until the file is written again, because every request reads it."""
        if not self._warned:
            self._warned = True
            _log.warning("%s holds no tokens, so nobody is signed in by it: delete it, or sign in again", self._path)


def _tokens_in(content: bytes) -> Tokens:
    """Return the tokens that a file holds; raises `ValueError`, `TypeError` or `RecursionError`."""
    tokens = Tokens(**json.loads(content))
    if tuple(map(type, (tokens.access, tokens.refresh, tokens.expires_at))) != (str, str, int):
        raise TypeError("a token of another type")
    if not (SENDABLE.fullmatch(tokens.access) and SENDABLE.fullmatch(tokens.refresh)):
        raise ValueError("a text that is no token: an HTTP client would quote it in its error")
    return tokens
