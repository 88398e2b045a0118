"""Litestar, kept from the logging of the process that runs the tests."""

import logging

import pytest
from litestar.logging import LoggingConfig


@pytest.fixture(autouse=True)
def no_logging_of_litestar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave logging as it is: by default, an application sets it up for the whole process, with a thread that goes on
    after the test and writes to what the test's output was.
    """
    monkeypatch.setattr(LoggingConfig, "configure", lambda _: logging.getLogger)
