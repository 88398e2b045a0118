"""What `vestibule serve` prints when it listens: addresses and paths as they are, brackets too."""

from pathlib import Path

import pytest

from vestibule.cli.command_context import Places
from vestibule.cli.welcome import _welcome
from vestibule.settings.fields import Settings

SQLITE = Places("sqlite", "vestibule.db", None, "0001")
ELSEWHERE = Places("postgresql", "[fd00::7]:5432/vestibule", "[fd00::8]:6379", "0001")


def said(capsys: pytest.CaptureFixture[str], settings: Settings, places: Places) -> str:
    _welcome(settings, places, "fd00::5", 8000, 1)
    return capsys.readouterr().err


def test_an_ipv6_address_and_a_folder_with_brackets_are_shown_whole(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """They look like markup: the address lost its host, and the folder a part of its name."""
    folder = tmp_path / "[prod]" / "[x]"
    shown = said(capsys, Settings(VESTIBULE_DATA=str(folder)), SQLITE)
    for each in ("http://[fd00::5]:8000", "http://[fd00::5]:8000/login", str(folder), str(folder / "mail")):
        assert each in shown, each


def test_so_are_those_of_the_servers_it_uses(capsys: pytest.CaptureFixture[str]) -> None:
    address = "postgresql://vestibule@[fd00::7]:5432/vestibule"
    shown = said(capsys, Settings(DATABASE_URL=address, EMAIL_HOST="smtp.example.com"), ELSEWHERE)
    for each in ("postgresql://[fd00::7]:5432/vestibule", "[fd00::8]:6379", "smtp.example.com"):
        assert each in shown, each
