"""Parse server-sent events as they arrive (HTML Standard, section 9.2), with a bound on each line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vestibule.client.errors import NotReachedError

MAX_LINE_BYTES = 1_000_000
_FIELDS = {"event", "data", "id"}


@dataclass(frozen=True)
class Event:
    """One server-sent event; `id` is the feed's cursor, or None."""

    name: str
    data: dict[str, Any]
    id: str | None


class EventParser:
    """Turns bytes into events."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Yield the events that `piece` completes; raises `NotReachedError` for a line or event Vestibule never
        sends.
        """
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if max(map(len, (*lines, self._rest))) > MAX_LINE_BYTES:
            raise NotReachedError("the feed has a line that is too long")
        for line in lines:
            if line:
                name, _, content = line.decode(errors="replace").partition(":")
                if name in _FIELDS:
                    self._fields[name] = content.removeprefix(" ")
            elif self._fields:
                fields, self._fields = self._fields, {}
                yield _event(fields)


def _event(fields: dict[str, str]) -> Event:
    try:
        data = json.loads(fields.get("data", "{}"))
    except (ValueError, RecursionError):
        raise NotReachedError("the feed has an event that is not JSON") from None
    if not isinstance(data, dict):
        raise NotReachedError("the feed has an event that is not an object")
    return Event(fields.get("event", ""), data, fields.get("id"))
