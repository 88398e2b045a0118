"""One array of JSON, entry by entry: in bounded memory, wherever the reads of the file end."""

import io
import json
import tracemalloc
from typing import Any

import pytest

from vestibule.storage.exports.json_entries import BrokenJson, entries
from vestibule.storage.exports.lines import MAX_LINE_BYTES

USERS: list[Any] = [{"a": 'é🔐\\"]}', "b": [1, {"c": None}]}, {}, 12, "text", [], {"long": "x" * 100_000}, None, 1.5]
DOCUMENTS = {
    "an array": json.dumps(USERS, ensure_ascii=False),
    "spread out": json.dumps(USERS, indent=4),
    "with a byte order mark": "\ufeff" + json.dumps(USERS),
    "a member": json.dumps({"realm": "r", "clients": [{"users": [1]}] * 9, "users": USERS, "more": 1}),
    "the only member": json.dumps({"users": USERS}),
}


class Reluctant(io.BytesIO):
    """Gives few bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 7))


@pytest.mark.parametrize("kind", [io.BytesIO, Reluctant])
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_every_entry_is_read_however_the_file_comes(document: str, kind: type[io.BytesIO]) -> None:
    short = document.replace("x" * 100_000, "x" * 1_000) if kind is Reluctant else document
    expected = json.loads(json.dumps(USERS).replace("x" * 100_000, "x" * 1_000)) if kind is Reluctant else USERS
    assert list(entries(kind(short.encode()), "users")) == expected


# A document, the entries that are read of it, and what is said then.
BROKEN: dict[str, tuple[bytes, int, str]] = {
    "cut off in an entry": (b'[{"a": 1}, {"b": "canary', 1, "entry 2 is not JSON, or the file ends in it"),
    "cut off behind an entry": (b'[{"a": 1}', 1, "behind entry 1 it is not JSON"),
    "cut off behind a comma": (b'[{"a": 1},', 1, "entry 2 is not JSON, or the file ends in it"),
    "no comma": (b'[{"a": 1} {"canary": 2}]', 1, "behind entry 1 it is not JSON"),
    "a word": (b'[{"a": 1}, canary]', 1, "entry 2 is not JSON, or the file ends in it"),
    "invalid UTF-8": (b'[{"a": 1}, {"b": "\xff"}]', 0, "it is not UTF-8"),
    "another member": (b'{"canaries": []}', 0, "it has no list of users"),
    "a member that is no list": (b'{"users": 7}', 0, "it has no list of users"),
    "no colon": (b'{"users" []}', 0, "it is not JSON, or has no : where a list of users needs it"),
    "cut off in a member": (b'{"a": {"canary', 0, "a member is not JSON, or the file ends in it"),
    "a text": (b'"canary"', 0, "it is not JSON, or has no { where a list of users needs it"),
    "brackets without end": (b"[" + b"[" * 200_000, 0, "entry 1 is not JSON, or"),
    "a long entry": (
        b'[{"a": 1}, "' + b"x" * (MAX_LINE_BYTES + 9) + b'"]',
        1,
        "entry 2 is longer than 1,048,576",
    ),
}


@pytest.mark.parametrize(("document", "whole", "said"), BROKEN.values(), ids=BROKEN)
def test_i11_what_is_broken_is_refused_with_its_place(document: bytes, whole: int, said: str) -> None:
    found = entries(io.BytesIO(document), "users")
    for _ in range(whole):
        next(found)
    with pytest.raises(BrokenJson) as refused:
        next(found)
    assert str(refused.value).startswith(said)
    assert "canary" not in str(refused.value)


class Endless(io.RawIOBase):
    """A gigabyte: a beginning, and the same bytes over and over."""

    def __init__(self, beginning: bytes, over_and_over: bytes) -> None:
        self._next, self._over_and_over, self._left = beginning, over_and_over, 1 << 30

    def read(self, size: int = -1, /) -> bytes:
        if self._left <= 0:
            return b""
        content, self._next = self._next or self._over_and_over * (size // len(self._over_and_over)), b""
        self._left -= len(content)
        return content


@pytest.mark.parametrize("beginning", [b'[{"a": "', b'{"a": "', b'{"'])
def test_i11_a_text_of_a_gigabyte_takes_no_memory(beginning: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(BrokenJson, match="longer than"):
        list(entries(Endless(beginning, b"x"), "users"))  # type: ignore[arg-type]
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000_000


def test_i11_ten_times_as_many_entries_take_no_more_memory() -> None:
    peaks = []
    for number in (10_000, 100_000):
        document = io.BytesIO(b"[" + b",".join([b'{"email": "ada@example.com", "verified": true}'] * number) + b"]")
        tracemalloc.start()
        assert sum(1 for _ in entries(document, "users")) == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]
