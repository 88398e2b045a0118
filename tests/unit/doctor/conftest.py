"""An installation that nothing is wrong with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vestibule.settings import reading
from vestibule.settings.fields import Settings, name_of

Chosen = Callable[..., Settings]


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chosen:
    """The settings of an empty folder, read as the server reads them, with these beside the defaults."""
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields.values():
        monkeypatch.delenv(name_of(field), raising=False)

    def read(**given: str) -> Settings:
        for name, text in given.items():
            monkeypatch.setenv(name, text)
        return reading.read()

    return read


@pytest.fixture
def production() -> dict[str, str]:
    """Settings for the open internet that the doctor has nothing to say against."""
    return {
        "NODE_ENV": "production",
        "VESTIBULE_URL": "https://auth.example.com",
        "ORIGIN": "https://app.example.com",
        "VESTIBULE_TRUSTED_PROXIES": "127.0.0.1",
        "VESTIBULE_PASSWORD_MIN_LENGTH": "15",
        "VESTIBULE_EMAIL_VERIFICATION": "mandatory",
        "VESTIBULE_EMAIL_FROM": "no-reply@example.com",
    }
