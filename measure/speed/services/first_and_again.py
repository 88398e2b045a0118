"""Time a check of tokens: each at first sight, and then again and again. Imports nothing but the standard library,
because it runs in environments that have one checker only.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time

_WARMING = 100
"""Tokens that are checked before any is timed."""
_PASSES = 10
ISSUER = AUDIENCE = "vestibule"

Check = Callable[[str], object]


def arguments() -> tuple[str, str, list[str]]:
    """Return the arguments: a Vestibule's URL, a service key, and the tokens in the file that the third one names."""
    url, service_key, path = sys.argv[1:]
    return url, service_key, json.loads(Path(path).read_text())


def time_checks(check: Check, tokens: Sequence[str]) -> None:
    """Print the microseconds of CPU, of all threads, that a check takes at first sight and later."""
    warming, timed = tokens[:_WARMING], tokens[_WARMING:]
    for token in [*warming, *warming]:
        check(token)
    print(json.dumps([_cpu(check, timed), _cpu(check, list(timed) * _PASSES)]))


def _cpu(check: Check, tokens: Sequence[str]) -> float:
    begun = process_time()
    for token in tokens:
        check(token)
    return (process_time() - begun) / len(tokens) * 1e6
