"""What the admin API answers about events. The OpenAPI document shows these classes with their docstrings."""

import json
from collections.abc import Mapping

from pydantic import Field

from vestibule.flows.search_events import EventsPage
from vestibule.model.events import Event, EventKind
from vestibule.web.api.answers import Answer, Success, timestamp


class ListedEvent(Answer):
    """What happened, to whose account, from where, and which operator did it. A deleted account has no email."""

    at: str = Field(json_schema_extra={"format": "date-time"})
    kind: EventKind
    email: str | None
    account_id: str | None
    session_id: str | None
    address: str | None
    actor_email: str | None
    actor_id: str | None
    detail: dict[str, str]

    @classmethod
    def of(cls, event: Event, emails: Mapping[str, str]) -> "ListedEvent":
        return cls(
            at=timestamp(event.at),
            kind=event.kind,
            email=emails.get(event.account_id or ""),
            account_id=event.account_id,
            session_id=event.session_id,
            address=event.network_address,
            actor_email=emails.get(event.actor_id or ""),
            actor_id=event.actor_id,
            detail=event.detail,
        )


class EventsData(Answer):
    events: list[ListedEvent]
    next: str | None


class ListedEvents(Success):
    """The events that were found, the latest first. `next` is the cursor of the next ones; null after the last."""

    data: EventsData

    @classmethod
    def of(cls, page: EventsPage) -> "ListedEvents":
        events = [ListedEvent.of(event, page.emails) for event in page.events]
        return cls(data=EventsData(events=events, next=page.next and page.next.to_cursor()))


def as_lines(page: EventsPage) -> str:
    """Return a line of JSON for each event: in ASCII, and without `<`, `>` and `&`, so that no program takes the file
    for HTML.
    """
    return "".join(f"{as_line(ListedEvent.of(event, page.emails).model_dump(mode='json'))}\n" for event in page.events)


def as_line(members: Mapping[str, object]) -> str:
    """Return an object as one line of JSON, escaped as `as_lines` says, without the line break at its end."""
    return json.dumps(members).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
