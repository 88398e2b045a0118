"""The 30,000 commonest passwords, in a file beside this module. `tools/common_passwords.py` writes the file."""

import gzip
from functools import cache
from pathlib import Path

LIST = Path(__file__).with_name("common_passwords.txt.gz")
"""One password a line, in lower case. Its source and licence: `common_passwords.license.txt`."""


@cache
def commonest_passwords(min_length: int) -> frozenset[str]:
    """Return those that have at least `min_length` characters, in lower case."""
    with gzip.open(LIST, "rt", encoding="utf-8", newline="\n") as lines:
        return frozenset(password for line in lines if len(password := line.removesuffix("\n")) >= min_length)
