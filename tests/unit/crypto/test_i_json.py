"""Strict JSON: what is I-JSON comes back as it was, and everything else is refused in one way only."""

import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vestibule.crypto.i_json import MAX_DEPTH, MAX_INTEGER, NotIJson, parse

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
).filter(lambda value: depth(value) <= MAX_DEPTH)

REFUSED = {
    "nothing": b"",
    "a name twice": b'{"a":1,"a":1}',
    "a name twice, once escaped": b'{"a":1,"\\u0061":2}',
    "a name twice, deep inside": b'[[{"b":[{"a":1,"b":2,"a":3}]}]]',
    "NaN": b"NaN",
    "Infinity": b'{"a":Infinity}',
    "minus Infinity": b"[-Infinity]",
    "a number that reads as Infinity": b"1e999",
    "a number that reads as minus Infinity": b"[-1e999]",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "bytes that are not UTF-8": b'{"a":"\xff"}',
    "an overlong encoding": b'"\xc0\xaf"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a lone high surrogate": b'"\\ud800"',
    "a lone low surrogate": b'["\\udc00"]',
    "surrogates in the wrong order": b'"\\udc00\\ud800"',
    "a lone surrogate in a name": b'{"\\ud800":1}',
    "the first integer not everybody can hold": str(2**53).encode(),
    "the same below zero": str(-(2**53)).encode(),
    "nesting of 17 arrays": b"[" * 17 + b"]" * 17,
    "nesting of 17 objects": b'{"a":' * 16 + b"{}" + b"}" * 16,
    "nesting of 100,000": b"[" * 100_000 + b"]" * 100_000,
    "nesting that never ends": b"[" * 100_000,
    "two values": b"{}{}",
    "a comment": b"{/* */}",
    "a trailing comma": b"[1,]",
    "single quotes": b"{'a':1}",
    "a control character in a string": b'"a\x00b"',
    "a leading zero": b"01",
    "a bare point": b".5",
    "hexadecimal": b"0x10",
}
TAKEN: dict[str, tuple[bytes, Any]] = {
    "the greatest integer": (str(2**53 - 1).encode(), 2**53 - 1),
    "the least integer": (str(-(2**53) + 1).encode(), -(2**53) + 1),
    "a surrogate pair": (b'"\\ud83d\\ude00"', "😀"),
    "an escaped NUL": (b'"\\u0000"', "\0"),
    "white space around": (b" \t\r\n{} \n", {}),
    "the same name in two objects": (b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
}
TOO_LARGE = {"an integer": b"%b", "a negative one": b"-%b", "an exponent": b"1e%b", "a claim": b'{"iat":%b}'}


def depth(value: Any) -> int:
    """How many levels a value has, itself included."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0) if value else 1
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 1


@given(value=VALUES, ascii_only=st.booleans())
@settings(deadline=None, max_examples=300)
def test_what_is_i_json_comes_back_as_it_was(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    again = parse(text)
    assert again == value
    assert json.dumps(again) == json.dumps(value)


@pytest.mark.parametrize(("text", "expected"), TAKEN.values(), ids=TAKEN)
def test_the_last_that_is_taken(text: bytes, expected: Any) -> None:
    assert parse(text) == expected


def test_sixteen_levels_are_taken() -> None:
    arrays = parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    objects = parse(b'{"a":' * (MAX_DEPTH - 1) + b"{}" + b"}" * (MAX_DEPTH - 1))
    assert depth(arrays) == depth(objects) == MAX_DEPTH == 16


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused_with_a_reason(text: bytes) -> None:
    """H6, T8: refused with a reason."""
    with pytest.raises(NotIJson) as refusal:
        parse(text)
    assert str(refusal.value)


@pytest.mark.parametrize("form", TOO_LARGE.values(), ids=TOO_LARGE)
def test_ten_million_digits_are_refused_at_little_cost(form: bytes) -> None:
    text = form % (b"9" * 10_000_000)
    start = time.thread_time()
    with pytest.raises(NotIJson):
        parse(text)
    assert time.thread_time() - start < 0.5


def test_ten_million_digits_after_the_point_cost_little() -> None:
    text = b"0." + b"9" * 10_000_000
    start = time.thread_time()
    assert parse(text) == 1.0
    assert time.thread_time() - start < 0.5


@given(st.binary(max_size=200))
@example(b"\x00")
@example(b"\xf0\x9f\x98")
@example(b"-")
@example(b'"\\u')
@settings(deadline=None, max_examples=300)
def test_arbitrary_bytes_are_parsed_or_refused(text: bytes) -> None:
    parsed_or_refused(text)


@given(st.lists(st.sampled_from(b'{}[]",:\\u0019dD8.eE+- NaInfity\xff\xef\xbb\xbf'), max_size=40).map(bytes))
@settings(deadline=None, max_examples=300)
def test_arbitrary_pieces_of_json_are_parsed_or_refused(text: bytes) -> None:
    parsed_or_refused(text)


def parsed_or_refused(text: bytes) -> None:
    """Whatever is parsed can be written and read again."""
    try:
        value = parse(text)
    except NotIJson:
        return
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value
