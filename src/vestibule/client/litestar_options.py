"""Check the options of Litestar's authentication middleware: a wrong one could let requests in unchecked.

Litestar joins the patterns of `exclude` into one, so an empty pattern matches every path. It tests methods and scopes
with `in`, so a string in the place of a list matches each of its parts.
"""

import re
from collections.abc import Mapping
from typing import Any

from vestibule.client import arguments

_NAMES = {"exclude", "exclude_from_auth_key", "exclude_http_methods", "scopes"}
_ANY_PATHS = ("/", "/982c7064-6ac7-44b7-9be5-07a2ff6d8a92")  # only a pattern for every path matches both


def require_fitting(options: Mapping[str, Any]) -> None:
    """Raise `ValueError` for an option that cannot be right. None stands for Litestar's own default."""
    unknown = sorted(options.keys() - _NAMES)
    if unknown:
        raise ValueError(f"{unknown[0]} is no option of Litestar's middleware: it has {', '.join(sorted(_NAMES))}")
    given = {name: value for name, value in options.items() if value is not None}
    if "exclude" in given:
        _require_patterns(given["exclude"])
    if not arguments.string("exclude_from_auth_key", given.get("exclude_from_auth_key", "key")):
        raise ValueError("exclude_from_auth_key is a name")
    for name in given.keys() & {"exclude_http_methods", "scopes"}:
        _require_names(name, given[name])


def _require_patterns(exclude: Any) -> None:
    """Raise `ValueError` unless `exclude` is a pattern or several, and leaves paths to check."""
    patterns = [exclude] if isinstance(exclude, str) else [*arguments.listed("exclude", exclude)]
    if not patterns or not all(isinstance(pattern, str) and pattern for pattern in patterns):
        raise ValueError("exclude is a pattern of paths, or a list of at least one: leave it out to check every path")
    try:
        everything = all(re.search("|".join(patterns), path) for path in _ANY_PATHS)
    except re.error as fault:
        raise ValueError(f"exclude is no pattern: {fault}") from None
    if everything:
        raise ValueError(r"exclude matches every path, so that nobody would be checked: write ^/health\Z for one path")


def _require_names(name: str, value: Any) -> None:
    if not all(isinstance(each, str) and each for each in arguments.listed(name, value)):
        raise ValueError(f"{name} is a list of names")
