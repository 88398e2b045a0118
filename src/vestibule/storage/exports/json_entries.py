"""Read the entries of one big JSON array, one at a time, in bounded memory.

The array is the whole document, or a member of it: `users` in the exports of Keycloak and Firebase. Streaming parsers
limit neither a string nor an entry, so this gives the standard parser a window of the file, as long as an entry may be.
A document that is not JSON is refused as a whole: it cannot be told where the next entry begins.
"""

import json
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Any, BinaryIO

from vestibule.storage.exports.lines import MAX_LINE_BYTES

_CHUNK_BYTES = 65_536
_MAX_MEMBER_CHARACTERS = 16 * MAX_LINE_BYTES  # of other members of the object, such as the settings of a realm
_BLANK = " \t\r\n"
_DECODER = json.JSONDecoder()


class BrokenJson(ValueError):
    """The document is not JSON, or a part of it is too long. The message says where, and repeats nothing of it."""


def entries(file: BinaryIO, member: str) -> Iterator[Any]:
    """Yield the entries of the array that is the document, or this member of its object; raises `BrokenJson`."""
    window = _Window(file)
    if window.peek() == "[":
        yield from _array(window)
        return
    window.take("{")
    while window.peek() != "}":
        name = window.value("a name", MAX_LINE_BYTES)
        window.take(":")
        if name == member and window.peek() == "[":
            yield from _array(window)
            return
        window.value("a member", _MAX_MEMBER_CHARACTERS)
        if window.peek() == ",":
            window.take(",")
    raise BrokenJson(f"it has no list of {member}")


def _array(window: "_Window") -> Iterator[Any]:
    window.take("[")
    number = 0
    while window.peek() != "]":
        number += 1
        yield window.value(f"entry {number}", MAX_LINE_BYTES)
        if window.peek() == ",":
            window.take(",")
        elif window.peek() != "]":
            raise BrokenJson(f"behind entry {number} it is not JSON")


class _Window:
    """The part of the document that is being read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._over = "", 0, False

    def peek(self) -> str:
        """Return the next character that is not blank; an empty text at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._read():
                return ""

    def take(self, character: str) -> None:
        """Skip this character; raises `BrokenJson` if another one is next."""
        if self.peek() != character:
            raise BrokenJson(f"it is not JSON, or has no {character} where a list of users needs it")
        self._at += 1

    def value(self, what: str, most: int) -> Any:
        """Return the next value, of at most `most` characters; raises `BrokenJson`, which calls it `what`."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                if len(self._text) - self._at > most:
                    raise BrokenJson(f"{what} is not JSON, or longer than {most:,} characters") from None
                if not self._read():
                    raise BrokenJson(f"{what} is not JSON, or the file ends in it") from None
            else:
                if end - self._at > most:
                    raise BrokenJson(f"{what} is longer than {most:,} characters")
                if end < len(self._text) or not self._read():  # a number may go on
                    self._at = end
                    return value

    def _read(self) -> bool:
        """Drop what was taken, and read more: as much as is left, or `_CHUNK_BYTES`. Return False at the file's end."""
        if self._over:
            return False
        kept = self._text[self._at :]
        content = self._file.read(max(_CHUNK_BYTES, len(kept)))
        self._over = not content
        try:
            self._text, self._at = kept + self._decoder.decode(content, final=self._over), 0
        except UnicodeDecodeError:
            raise BrokenJson("it is not UTF-8") from None
        return not self._over
