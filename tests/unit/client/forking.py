"""Children that are forked to do some work, a Vestibule for them, and checks in threads and in tasks."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.harness.process import Running, given_keys, register, run, serving
from vestibule.client import CallerRefusedError, Verifier

needs_fork = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

EMAIL = "ada@example.com"
Check = Callable[[Verifier, str], Any]
BY_THREAD_AND_BY_TASK: dict[str, Check] = {
    "threads": lambda verifier, token: verifier.check(token),
    "asyncio": lambda verifier, token: asyncio.run(verifier.check_async(token)),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    folder: Path = tmp_path_factory.mktemp("vestibule")
    with serving(folder, **given_keys()) as running:
        with running.browser() as browser:
            register(browser, EMAIL)
        yield running, run(folder, "services", "create", "tests", **given_keys()).stdout.strip()


@contextmanager
def forked(work: Callable[[], bool], fork: Callable[[], int] = os.fork) -> Iterator[Callable[[], None]]:
    """A child that does the work when it is told to, which has to come out true."""
    reader, writer = os.pipe()
    child = fork()
    if child == 0:
        good = False
        try:
            os.read(reader, 1)
            good = work()
        finally:
            os._exit(0 if good else 1)
    try:
        yield lambda: assert_written(writer)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        os.close(reader)
        os.close(writer)


def assert_written(writer: int) -> None:
    assert os.write(writer, b"x") == 1


def fate(check: Check, verifier: Verifier, token: str) -> type[CallerRefusedError] | None:
    try:
        check(verifier, token)
    except CallerRefusedError as refusal:
        return type(refusal)
    return None
