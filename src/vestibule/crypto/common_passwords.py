"""The 30,000 commonest passwords, which `model/passwords.py` refuses.

They are in a file beside this module; `tools/common_passwords.py` writes it.
"""

import gzip
from functools import cache
from pathlib import Path

LIST = Path(__file__).with_name("common_passwords.txt.gz")
"""One password a line, in lower case. Its source and licence: `common_passwords.license.txt`."""


@cache
def common_passwords(min_length: int) -> frozenset[str]:
    """Return the passwords of the list that have at least `min_length` characters, in lower case."""
    with gzip.open(LIST, "rt", encoding="utf-8", newline="\n") as lines:
        return frozenset(password for line in lines if len(password := line.removesuffix("\n")) >= min_length)
