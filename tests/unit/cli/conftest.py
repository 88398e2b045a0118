"""Settings read as a command reads them, and refused as it refuses them."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import structlog

from tests.conftest import not_to_be_had
from tests.harness import servers
from tests.harness.backends import postgresql_database
from tests.unit.cli.databases import Databases, on_a_server
from vestibule.settings.fields import Settings, name_of
from vestibule.wiring import commands

Refusal = Callable[..., str]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """An empty folder, and an environment that sets nothing."""
    monkeypatch.chdir(tmp_path)
    for name in map(name_of, Settings.model_fields.values()):
        monkeypatch.delenv(name, raising=False)
    logging_before = structlog.get_config()
    yield monkeypatch
    structlog.configure(**logging_before)  # for `main` has made it its own


@pytest.fixture
def refusal(nowhere: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refusal:
    """What the command line says to these settings, on its way out."""

    def refused(**given: str) -> str:
        for name, value in given.items():
            nowhere.setenv(name, value)
        nowhere.setattr("sys.argv", ["vestibule", "events"])
        with pytest.raises(SystemExit) as end:
            commands.main()
        written = capsys.readouterr()
        assert end.value.code == 2, written.err
        assert written.out == ""
        return written.err

    return refused


@pytest.fixture(scope="module")
def known() -> Iterator[Databases]:
    """The databases of one server, each with its trouble."""
    try:
        with on_a_server() as databases:
            yield databases
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)


@pytest.fixture
async def empty_database() -> AsyncIterator[str]:
    """A PostgreSQL database with nothing in it."""
    try:
        async with postgresql_database() as address:
            yield address
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)
