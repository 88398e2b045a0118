"""The log as a server in production writes it, and all else that is written."""

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from vestibule.observability import logs


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """All that was written so far, to the log and to both streams."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log: Any = io.StringIO()
    logs.configure("debug", pretty=False, stream=log)
    structlog.configure(cache_logger_on_first_use=False)  # for the loggers of the house outlive this test
    yield lambda: log.getvalue() + "".join(capsys.readouterr())
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level
