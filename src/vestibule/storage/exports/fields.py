"""Fields of an exported user, as texts: a CSV file has texts, and JSON values of any kind."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Fields = Mapping[str, Any]
"""One exported user: a record of CSV, or an object of JSON."""
_MILLISECONDS = 1_000


@dataclass(frozen=True)
class Given:
    """What the command adds to a file: the time of the import; whether emails count as verified if the file does not
    say it; and for Firebase, what turns a digest and a salt into a hash in our form.
    """

    now: datetime
    verified: bool = False
    hash_form: Callable[[str, str], str] | None = None


def text_of(value: Any) -> str | None:
    """Return a value as text; None for an empty text, a list, an object or null."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value) or None
    return None


def flag_of(value: Any) -> str | None:
    """Return a value as text in lower case, for flags."""
    text = text_of(value)
    return text.lower() if text else None


def either(one: str | None, *others: str | None) -> str | None:
    """Return the first of the texts that is not empty or None."""
    return next(filter(None, (one, *others)), None)


def full_name(first: Any, last: Any) -> str | None:
    """Return a name of two parts, each of which may be missing."""
    return " ".join(filter(None, (text_of(first), text_of(last)))) or None


def part_before_at(email: Any) -> str:
    """Return a name for somebody who has none: the email up to the @."""
    return (text_of(email) or "").partition("@")[0]


def moment_of_milliseconds(value: Any) -> str | None:
    """Return a time in milliseconds since 1970 as ISO 8601; other values as they are, so that their row is refused."""
    text = text_of(value)
    try:
        return datetime.fromtimestamp(int(text or "") / _MILLISECONDS, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return text


def object_of(value: Any) -> Fields:
    """Return an object of JSON; an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def json_object(value: Any) -> Fields:
    """Return the object in a text of JSON, or the value itself if it is one; otherwise an empty one."""
    if not isinstance(value, str):
        return object_of(value)
    try:
        return object_of(json.loads(value))
    except (ValueError, RecursionError):
        return {}
