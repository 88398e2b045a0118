"""Letters without a mail server: anybody can ask for them, and they do not fill the disk."""

from pathlib import Path

import pytest

from tests.harness.clock import ManualClock
from tests.unit.mail import RENDERER, a_letter
from vestibule.mail import folder
from vestibule.mail.folder import FolderMailer

MOST, LOOK_EVERY = 20, 3


def names_in(there: Path) -> set[str]:
    return {path.name for path in there.iterdir()}


async def test_n13_the_oldest_letters_in_the_folder_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder.MOST_KEPT == 10_000
    monkeypatch.setattr(folder, "MOST_KEPT", MOST)
    monkeypatch.setattr(folder, "_DELETE_EVERY", LOOK_EVERY)
    (tmp_path / "notes.txt").touch()
    mailer = FolderMailer(tmp_path, RENDERER, ManualClock(), log_links=False)
    for letters in (1, LOOK_EVERY):
        for number in range(10 * MOST):
            (tmp_path / f"20200101-000000-verify_email-{number:08}.eml").touch()
        for _ in range(letters):
            sent = await mailer.send(a_letter())
        left = names_in(tmp_path)
        assert len(left) == MOST + 1, "and what is no letter stays"
        assert {Path(sent).name, "notes.txt", f"20200101-000000-verify_email-{10 * MOST - 1:08}.eml"} <= left
