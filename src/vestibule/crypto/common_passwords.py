"""The 30,000 commonest passwords, which `model/passwords.py` refuses.

`tools/common_passwords.py` writes the list into a file beside this module.
"""

import gzip
from functools import cache
from pathlib import Path

LIST = Path(__file__).with_name("common_passwords.txt.gz")
"""One password a line, in lower case. `common_passwords.license.txt` has the source and licence of the list."""


@cache
def common_passwords(min_length: int) -> frozenset[str]:
    """Return the passwords of the list that have at least `min_length` characters, in lower case."""
    with gzip.open(LIST, "rt", encoding="utf-8", newline="\n") as lines:
        return frozenset(password for line in lines if len(password := line.removesuffix("\n")) >= min_length)
