"""A log that cannot be written stops nobody; what was dropped is counted, and said once it can be said."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.harness.process import PRODUCTION, given_keys, register, sign_in, starting
from tests.harness.servers import listening, wait_until
from vestibule.process.log_stream import DirectStream, QueuedStream

ROOM = 5
CHUNK = 65536


class Pipe:
    """A pipe that is full, until somebody reads it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(self.writing, b" " * 4096)
        os.set_blocking(self.writing, True)

    def read_lines(self, wanted: int) -> list[str]:
        """Wait for `wanted` lines and read them."""
        read = b""
        while read.count(b"\n") < wanted:
            read += os.read(self.reading, CHUNK)
        return read.decode().strip().splitlines()

    def read_until(self, word: str) -> str:
        """Everything up to the end of the line in which the word is."""
        read = b""
        while word.encode() not in read or not read.endswith(b"\n"):
            read += os.read(self.reading, CHUNK)
        return read.decode()

    def close(self) -> None:
        os.close(self.reading)
        os.close(self.writing)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_nobody_waits_and_what_is_dropped_is_counted_and_told(pipe: Pipe) -> None:
    told: list[int] = []
    stream = QueuedStream(pipe.writing, told.append, ROOM)
    for number in range(4 * ROOM):
        stream.write(f"{number}\n")
    assert 3 * ROOM - 1 <= stream.dropped <= 3 * ROOM  # one may be in the thread's hands
    kept = 4 * ROOM - stream.dropped
    assert [line.strip() for line in pipe.read_lines(kept)] == [str(number) for number in range(kept)]
    stream.drain(20)
    assert told == [stream.dropped]
    stream.write("and on\n")
    assert pipe.read_lines(1) == ["and on"]
    stream.drain(20)
    assert told == [stream.dropped]


def test_a_full_disk_stops_nobody() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    told: list[int] = []
    stream = QueuedStream(full, told.append)
    for _ in range(ROOM):
        stream.write("a line\n")
    stream.drain(20)
    assert (stream.dropped, told) == (ROOM, [])
    os.close(full)


def test_draining_does_not_wait_for_ever(pipe: Pipe) -> None:
    stream = QueuedStream(pipe.writing, [].append)
    stream.write("stuck\n")
    stream.drain(0.01)
    assert stream.dropped == 0
    # Left alone, its thread would write into whichever file has the number of this pipe next.
    assert pipe.read_until("stuck").strip() == "stuck"


def test_who_writes_at_once_waits_for_no_reader_for_ever(pipe: Pipe) -> None:
    stream = DirectStream(pipe.writing, seconds=0.01)
    stream.write("nobody reads this\n")
    os.read(pipe.reading, CHUNK)
    stream.write("and on\n")
    assert pipe.read_until("on").strip() == "and on"


def test_what_follows_a_line_written_in_part_begins_anew(pipe: Pipe) -> None:
    stream = DirectStream(pipe.writing, seconds=0.01)
    os.read(pipe.reading, CHUNK)
    stream.write("a" * CHUNK + "b" * CHUNK + "\n")
    os.read(pipe.reading, 2 * CHUNK)
    stream.write("{}\n")
    assert pipe.read_until("{}") == "\n{}\n"


def test_what_follows_a_queued_line_written_in_part_begins_anew(pipe: Pipe) -> None:
    """The pipe does not block, as another program may have set it: a write that finds it full fails."""
    os.read(pipe.reading, CHUNK)
    os.set_blocking(pipe.writing, False)
    stream = QueuedStream(pipe.writing, [].append)
    stream.write("a" * CHUNK + "b" * CHUNK + "\n")
    stream.drain(20)
    os.read(pipe.reading, 2 * CHUNK)
    stream.write("{}\n")
    assert pipe.read_until("{}") == "\n{}\n"


def test_a_full_disk_stops_no_parent() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    DirectStream(full).write("a line\n")
    os.close(full)


def test_a_server_whose_log_is_not_read_serves_on(pipe: Pipe, tmp_path: Path) -> None:
    """Its output is a pipe that is full before it begins; when somebody reads it, every line is there."""
    settings = {**PRODUCTION, **given_keys()}
    with starting(tmp_path, output=pipe.writing, **settings) as server:
        wait_until(lambda: listening(server.port), "the server")
        with server.browser() as browser:
            register(browser, "ada@example.com")
            sign_in(browser, "ada@example.com")
        said = pipe.read_until("signed_in")
    lines = [line for line in said.splitlines() if line.strip().startswith("{")]
    events = [json.loads(line)["event"] for line in lines]
    # The first comes whenever a measurement is over, the other unless its writer had to wait for too long.
    at_any_time = {"password_hashing", "server_started"}
    assert [event for event in events if event not in at_any_time] == ["registered", "signed_in"]


SAYING = """
import logging
from vestibule.observability import logs

logs.configure("info", pretty=False)
try:
    raise RuntimeError("a\\nb")
except RuntimeError:
    logging.getLogger("asyncio").exception("never retrieved\\n{forged}")
"""


def test_l2_what_libraries_say_is_json_too() -> None:
    """Also where it has line breaks, and where it is an exception of somebody else's."""
    saying = subprocess.run([sys.executable, "-c", SAYING], check=True, capture_output=True, text=True)
    (line,) = saying.stderr.strip().splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"]) == ("never retrieved\n{forged}", "error")
    assert "RuntimeError: a\nb" in said["exception"]
