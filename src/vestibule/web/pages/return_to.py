r"""Where a browser may be sent afterwards: paths of our own, and pages of listed origins. One strict parser.

What browsers make of an address is a field of mines (`//host`, `/\host`, tabs that vanish, dots that climb), so this
knows only plain addresses, and takes everything else for none.
"""

import re
from collections.abc import Collection
from urllib.parse import urlencode

HOME = "/profile"
MAX_CHARACTERS = 1024
_SEGMENT = r"(?!\.{1,2}(?:[/?]|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+"
_PATH = rf"/(?:{_SEGMENT}(?:/{_SEGMENT})*/?)?"
_QUERY = r"(?:\?[A-Za-z0-9._~!$'()*+,;=:@/?&%-]*)?"
_PLAIN = re.compile(rf"{_PATH}{_QUERY}")


def parsed(text: str, origins: Collection[str]) -> str | None:
    """`text`, if a browser may be sent there; None otherwise."""
    if len(text) > MAX_CHARACTERS:
        return None
    origin = next((origin for origin in origins if text == origin or text.startswith(f"{origin}/")), "")
    rest = text.removeprefix(origin)
    return text if _PLAIN.fullmatch(rest) or (origin and not rest) else None


def origin_of(target: str) -> str:
    """The origin of a target that `parsed` let through; empty for a path of our own."""
    return "" if target.startswith("/") else "/".join(target.split("/", 3)[:3])


def with_query(path: str, **members: str) -> str:
    """The path with those members that are not empty."""
    query = urlencode({name: value for name, value in members.items() if value})
    return f"{path}?{query}" if query else path
