"""`model.letters.Post` without a mail server: letters become files, and in development lines in the log."""

import asyncio
from pathlib import Path

import structlog

from vestibule.mail.letters import Stationery
from vestibule.model.clock import Clock
from vestibule.model.letters import Letter, NotSent

_log = structlog.get_logger(__name__)


class FolderPost:
    """Writes each letter to a file that any mail program opens. `aloud`: also logs where it leads."""

    def __init__(self, folder: Path, stationery: Stationery, clock: Clock, aloud: bool) -> None:
        self._folder = folder
        self._stationery = stationery
        self._clock = clock
        self._aloud = aloud

    async def send(self, letter: Letter) -> str:
        now = self._clock.now()
        message = await self._stationery.write_aside(letter)
        path = self._folder / f"{now:%Y%m%d-%H%M%S}-{letter.kind.value}-{letter.id[:8]}.eml"
        try:
            await asyncio.to_thread(_write, path, message.as_bytes())
        except OSError as fault:
            raise NotSent(f"{path}: {fault.strerror}") from fault
        if self._aloud:
            _log.info("letter", to=letter.to, subject=message["Subject"], link=letter.link, file=str(path))
        return str(path)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
