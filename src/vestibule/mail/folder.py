"""A mailer without a mail server: it writes letters to files and, in development, their links to the log."""

import asyncio
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import structlog

from vestibule.mail.letters import Renderer
from vestibule.model.clock import Clock
from vestibule.model.letters import Letter, NotSent

MOST_KEPT = 10_000
"""How many letters the folder keeps: the newest. Anybody can cause a letter, and letters must not fill the disk."""
_DELETE_EVERY = 100  # letters
_log = structlog.get_logger(__name__)


class FolderMailer:
    """Writes each letter to a file that any mail program can open. With `log_links`, also logs the link or the code."""

    def __init__(self, folder: Path, renderer: Renderer, clock: Clock, log_links: bool) -> None:
        self._folder = folder
        self._renderer = renderer
        self._clock = clock
        self._log_links = log_links
        self._written = 0

    async def send(self, letter: Letter) -> str:
        """Write the letter; return the file's path. Raises `NotSent`."""
        now = self._clock.now()
        message = await self._renderer.write_in_thread(letter)
        path = self._folder / f"{now:%Y%m%d-%H%M%S}-{letter.kind.value}-{letter.id[:8]}.eml"
        try:
            await asyncio.to_thread(_write, path, message)
            if self._written % _DELETE_EVERY == 0:
                await asyncio.to_thread(_delete_oldest, self._folder)
            self._written += 1
        except OSError as fault:
            raise NotSent(f"{path}: {fault.strerror}") from fault
        if self._log_links:
            secret = {"code": letter.code} if letter.code else {"link": letter.link}
            _log.info("letter", to=letter.to, subject=message["Subject"], **secret, file=str(path))
        return str(path)


def _write(path: Path, message: EmailMessage) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(message.as_bytes())


def _delete_oldest(folder: Path) -> None:
    """Delete the oldest letters, so that `MOST_KEPT` are left. The names of the files begin with the time of
    writing.
    """
    with suppress(OSError):  # the letter itself is written; a later `send` deletes again
        letters = sorted(path for path in folder.iterdir() if path.suffix == ".eml")
        for path in letters[:-MOST_KEPT]:
            path.unlink(missing_ok=True)
