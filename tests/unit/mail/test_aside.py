"""Letters are written aside: what the event loop does is the same whether anybody is written to or not."""

import contextlib
import threading
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.harness import servers
from tests.harness.clock import ManualClock
from tests.harness.mailer import BRAND
from tests.unit.mail import a_letter
from vestibule.mail.folder import FolderMailer
from vestibule.mail.letters import Renderer, Sender
from vestibule.mail.smtp import Server, SmtpMailer
from vestibule.model.letters import Letter, Mailer, NotSent


class WatchedRenderer(Renderer):
    """Real, and notes on which thread it wrote."""

    def __init__(self) -> None:
        super().__init__(Sender("Vestibule", "no-reply@vestibule.example"), BRAND, ManualClock())
        self.threads: list[int] = []

    def write(self, letter: Letter) -> EmailMessage:
        self.threads.append(threading.get_ident())
        return super().write(letter)


MAILERS: dict[str, Callable[[Renderer, Path], Mailer]] = {
    "folder": lambda renderer, folder: FolderMailer(folder, renderer, ManualClock(), log_links=False),
    "smtp": lambda renderer, _: SmtpMailer(Server("127.0.0.1", servers.free_port(), "none"), renderer),
}


@pytest.mark.parametrize("mailer", MAILERS)
async def test_d5_a_letter_is_written_on_another_thread_than_the_loop_s(mailer: str, tmp_path: Path) -> None:
    renderer = WatchedRenderer()
    with contextlib.suppress(NotSent):  # nobody listens there
        await MAILERS[mailer](renderer, tmp_path).send(a_letter())
    assert len(renderer.threads) == 1
    assert threading.get_ident() not in renderer.threads
