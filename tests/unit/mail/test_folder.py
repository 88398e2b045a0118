"""Letters without a mail server: files for their owner alone, and a line in the log only where that was asked for."""

import stat
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.harness.clock import ManualClock
from tests.unit.mail import LINKS, RENDERER, SECRETS, a_letter
from vestibule.mail.folder import FolderMailer
from vestibule.model.letters import LetterKind, NotSent


def folder_mailer(folder: Path, log_links: bool = False) -> FolderMailer:
    return FolderMailer(folder, RENDERER, ManualClock(), log_links)


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.mark.parametrize("kind", LetterKind)
async def test_a_letter_becomes_a_file_that_a_mail_program_opens(tmp_path: Path, kind: LetterKind) -> None:
    await folder_mailer(tmp_path / "mail").send(a_letter(kind))
    (file,) = files_in(tmp_path / "mail")
    assert file.name == f"20261123-230951-{kind.value}-0a1b2c3d.eml"
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert message["To"] == "ada@example.com"
    for form in ("plain", "html"):
        part = message.get_body((form,))
        assert part is not None
        assert SECRETS[kind] in part.get_content()


async def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    await folder_mailer(tmp_path / "mail").send(a_letter())
    (file,) = files_in(tmp_path / "mail")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_second_attempt_does_not_make_a_second_file(tmp_path: Path) -> None:
    mailer = folder_mailer(tmp_path)
    await mailer.send(a_letter())
    await mailer.send(a_letter())
    assert len(files_in(tmp_path)) == 1


async def test_the_log_has_the_link_if_it_is_asked_to(tmp_path: Path) -> None:
    with capture_logs() as lines:
        await folder_mailer(tmp_path, log_links=True).send(a_letter())
    (file,) = files_in(tmp_path)
    assert lines == [
        {
            "event": "letter",
            "log_level": "info",
            "to": "ada@example.com",
            "subject": "Confirm your email address for Vestibule",
            "link": LINKS[LetterKind.VERIFY_EMAIL],
            "file": str(file),
        }
    ]


async def test_the_log_has_the_code_of_a_letter_without_a_link(tmp_path: Path) -> None:
    with capture_logs() as lines:
        await folder_mailer(tmp_path, log_links=True).send(a_letter(LetterKind.SIGN_IN_CODE))
    assert [(line.get("code"), line.get("link")) for line in lines] == [("k7d2-9fxm", None)]


async def test_otherwise_the_log_says_nothing(tmp_path: Path) -> None:
    with capture_logs() as lines:
        await folder_mailer(tmp_path).send(a_letter())
    assert lines == []


async def test_a_folder_that_cannot_be_written_is_not_sent(tmp_path: Path) -> None:
    in_the_way = tmp_path / "mail"
    in_the_way.write_text("a file, not a folder")
    with capture_logs() as lines, pytest.raises(NotSent):
        await folder_mailer(in_the_way, log_links=True).send(a_letter())
    assert lines == []
