"""Strict JSON: I-JSON (RFC 7493) with a bounded depth, for request bodies and for tokens.

If two parsers read the same text differently, one may check a value and the other use another (CVE-2017-12635). So this
parser refuses every text that could be read in two ways.
"""

import json
import math
from typing import Any, NoReturn

MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1  # RFC 7493, section 2.2: what every reader can hold exactly
_MAX_NUMERAL = len(str(-MAX_INTEGER))


class NotIJson(ValueError):
    """The text is not I-JSON. The message says why, for the person who sent it."""


def parse(text: bytes) -> Any:
    """Return the value that `text` is in JSON, in UTF-8; raises `NotIJson`."""
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_real,
        )
    except UnicodeDecodeError:
        raise NotIJson("it is not UTF-8") from None
    except json.JSONDecodeError as fault:
        raise NotIJson(f"{fault.msg} at line {fault.lineno}, column {fault.colno}") from None
    except RecursionError:
        raise NotIJson("it is nested too deeply") from None
    _check_depth_and_strings(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # `json` calls this for every object. By itself, it would keep the last of two members with the same name.
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotIJson("an object names the same member twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    # `json` calls this for NaN, Infinity and -Infinity, which JSON does not have, and would accept them.
    raise NotIJson(f"{name} is not a JSON number")


def _integer(digits: str) -> int:
    # Check the length first: converting a very long numeral takes quadratic time.
    if len(digits) > _MAX_NUMERAL or abs(int(digits)) > MAX_INTEGER:
        raise NotIJson("a number is too large")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):  # as for 1e999
        raise NotIJson("a number is too large")
    return value


def _check_depth_and_strings(root: Any) -> None:
    """Raise `NotIJson` for nesting beyond `MAX_DEPTH`, and for lone surrogates, which UTF-8 cannot encode (RFC 7493,
    2.1).
    """
    level = [root]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.keys())
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, str):
                _refuse_lone_surrogate(value)
        if not below:
            return
        level = below
    raise NotIJson("it is nested too deeply")


def _refuse_lone_surrogate(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotIJson("a string holds half of a surrogate pair") from None
