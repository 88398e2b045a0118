"""Letters without a mail server: anybody can ask for them, and they do not fill the disk."""

from pathlib import Path

import pytest

from tests.harness.clock import ManualClock
from tests.mail import STATIONERY, a_letter
from vestibule.mail import folder
from vestibule.mail.folder import FolderPost

MOST = 20


def names_in(there: Path) -> set[str]:
    return {path.name for path in there.iterdir()}


async def test_n13_the_oldest_letters_in_the_folder_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MOST", MOST)
    for number in range(10 * MOST):
        (tmp_path / f"20200101-000000-verify_address-{number:08}.eml").touch()
    (tmp_path / "notes.txt").touch()
    sent = await FolderPost(tmp_path, STATIONERY, ManualClock(), aloud=False).send(a_letter())
    left = names_in(tmp_path)
    assert len(left) == MOST + 1, "and what is no letter stays"
    assert {Path(sent).name, "notes.txt", f"20200101-000000-verify_address-{10 * MOST - 1:08}.eml"} <= left
