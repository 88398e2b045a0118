"""L8: a traceback says where and what kind; what an error quotes is told nowhere."""

import json
import subprocess
import sys

import pytest

from vestibule.model.errors import StoreUnavailable
from vestibule.process.tracebacks import format_error, summarize

QUOTING = """
import asyncio, logging, structlog
from vestibule.observability import logs

logs.configure("info", pretty={pretty}, masked=False)

def innermost():
    password = "canary"
    return {{"other": 1}}["canary-key"] or password

def outer():
    try:
        innermost()
    except KeyError as fault:
        fault.add_note("canary-note")
        raise ValueError("invalid literal: 'canary-value'") from fault

async def lost():
    outer()

async def main():
    asyncio.ensure_future(lost())
    asyncio.get_running_loop().call_soon(int, "canary-argument")
    await asyncio.sleep(0)
    await asyncio.sleep(0)

try:
    outer()
except ValueError:
    structlog.get_logger().exception("unexpected")
    logging.getLogger("library").exception("in a library")
try:
    raise ExceptionGroup("canary-group", [OSError(13, "Permission denied"), ValueError("canary-part")])
except ExceptionGroup:
    structlog.get_logger().exception("several")
asyncio.run(main())
import gc; gc.collect()
"""


@pytest.mark.parametrize("pretty", [False, True])
def test_l8_no_line_of_the_log_tells_what_an_error_quotes(pretty: bool) -> None:
    code = QUOTING.format(pretty=pretty)
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "canary" not in said.stdout + said.stderr
    for shown in ("in innermost", "in outer", "KeyError", "ValueError", "PermissionError: Permission denied"):
        assert shown in said.stderr
    assert "Task exception was never retrieved" in said.stderr
    assert "Exception in callback" in said.stderr
    if not pretty:
        assert all(json.loads(line)["event"] for line in said.stderr.splitlines())


def test_l8_words_about_the_program_stay() -> None:
    for error, said in (
        (StoreUnavailable("it could not be reached"), "StoreUnavailable: it could not be reached"),
        (AttributeError("no attribute 'x'"), "AttributeError: no attribute 'x'"),
        (FileNotFoundError(2, "No such file or directory", "/etc/x"), "FileNotFoundError: No such file or directory"),
        (UnicodeDecodeError("utf-8", b"canary\xff", 6, 7, "invalid start byte"), "UnicodeDecodeError"),
    ):
        assert summarize(error).endswith(said)


def test_l8_errors_that_lead_to_one_another_come_to_an_end() -> None:
    first, second = RuntimeError("first"), RuntimeError("second")
    first.__cause__, second.__cause__ = second, first
    assert format_error(first).count("RuntimeError") == 2
