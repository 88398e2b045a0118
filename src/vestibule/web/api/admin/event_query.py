"""Read which events an operator asks for, from the query of the API or of the console's form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vestibule.flows.env import Env
from vestibule.flows.find_people import find_account_of
from vestibule.model.account_search import NotACursor
from vestibule.model.clock import LAST_YEAR
from vestibule.model.event_search import EventPosition, EventQuery
from vestibule.model.events import EventKind
from vestibule.model.limits import canonical_address
from vestibule.model.operator_errors import CursorInvalid, FilterInvalid, PersonUnknown


@dataclass(frozen=True)
class AskedEvents:
    """The parameters of a query, as they were sent. FastAPI fills them in."""

    person: str = ""
    kind: str = ""
    network: str = ""
    since: str = ""
    until: str = ""
    after: str = ""


@dataclass(frozen=True)
class ReadQuery:
    """What was read of a query: the events `wanted`, and where the page starts; None for the first page. `wrong` names
    the parameters that could not be read, which are left out of `wanted`.
    """

    wanted: EventQuery
    start: EventPosition | None
    wrong: list[str] = field(default_factory=list)


async def read_query(env: Env, asked: AskedEvents) -> ReadQuery:
    """Return what is asked for, and in `wrong` what cannot be read; raises `CursorInvalid`."""
    found, wrong = dict[str, Any](), list[str]()
    if asked.person.strip():
        account = await find_account_of(env, asked.person)
        found["account_id"] = account.id if account else None
        if account is None:
            wrong.append("person")
    for name, (member, read) in _READERS.items():
        try:
            found[member] = read(text) if (text := getattr(asked, name).strip()) else None
        except ValueError:
            wrong.append(name)
    return ReadQuery(EventQuery(**found), _position(asked.after), wrong)


async def require_query(env: Env, asked: AskedEvents) -> ReadQuery:
    """Return what is asked for; raises `CursorInvalid`, `PersonUnknown` or `FilterInvalid`."""
    read = await read_query(env, asked)
    if "person" in read.wrong:
        raise PersonUnknown
    if read.wrong:
        raise FilterInvalid(read.wrong[0])
    return read


def _network(text: str) -> str:
    canonical = canonical_address(text)
    if not canonical:
        raise ValueError(text)
    return canonical


def _moment(text: str) -> datetime:
    """Return the moment that a text in ISO 8601 (RFC 3339) names, in UTC. A text without an offset is read as UTC."""
    moment = datetime.fromisoformat(text)
    if not 1 < moment.year <= LAST_YEAR:  # in UTC, a moment of the first year may be before `datetime` begins
        raise ValueError(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "kind": ("kind", EventKind),
    "network": ("network_address", _network),
    "since": ("since", _moment),
    "until": ("until", _moment),
}
"""For each parameter except the person: the member of the query, and the function that reads it, or raises
`ValueError`.
"""


def _position(cursor: str) -> EventPosition | None:
    try:
        return EventPosition.of_cursor(cursor) if cursor else None
    except NotACursor:
        raise CursorInvalid from None
