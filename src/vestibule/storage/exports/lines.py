"""Read a file line by line in bounded memory: a line may be a gigabyte, and any byte may be in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_LINE_BYTES = 1_048_576
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Line:
    """A line with its number, counted from 1. `fault`: why its text could not be read."""

    number: int
    text: str
    fault: str | None = None


def lines(file: BinaryIO) -> Iterator[Line]:
    """Yield the lines of a file with their line breaks, and without a byte order mark."""
    number = 0
    while content := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1:
            content = content.removeprefix(_BOM)
        yield _line(file, number, content)


def _line(file: BinaryIO, number: int, content: bytes) -> Line:
    if len(content) > MAX_LINE_BYTES and not content.endswith(b"\n"):
        _skip_line(file)
        return Line(number, "", f"it is longer than {MAX_LINE_BYTES:,} bytes")
    try:
        return Line(number, content.decode())
    except UnicodeDecodeError:
        return Line(number, "", "it is not UTF-8")


def _skip_line(file: BinaryIO) -> None:
    while (content := file.readline(MAX_LINE_BYTES)) and not content.endswith(b"\n"):
        pass
