"""Handlers that find events for operators."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from starlette.responses import Response, StreamingResponse

from vestibule.flows.env import Env
from vestibule.flows.search_events import EventsPage, export_events, search_events
from vestibule.model.operators import Operator
from vestibule.web.api import answers
from vestibule.web.api.admin.event_query import AskedEvents, ReadQuery, require_query
from vestibule.web.api.admin.events_answers import ListedEvents, as_line, as_lines
from vestibule.web.caller import EnvDep
from vestibule.web.operator_guard import ActingOperator

EventsAsked = Annotated[AskedEvents, Depends()]
_AS_FILE = {"Content-Disposition": 'attachment; filename="events.jsonl"', "X-Content-Type-Options": "nosniff"}
_JSON_LINES = "application/jsonl"


async def list_events(env: EnvDep, asked: EventsAsked) -> Response:
    """List up to 50 events, the latest first: of the account with the email or id `person`, of this `kind`, from this
    `network` address, from `since` until `until` (ISO 8601; UTC if there is no offset). Send `next` as `after` for
    the next ones, until it is null; a page may be short, even empty, although others follow.
    """
    read = await require_query(env, asked)
    return answers.as_json(ListedEvents.of(await search_events(env, read.wanted, read.start)))


async def export(env: EnvDep, operator: ActingOperator, asked: EventsAsked) -> Response:
    """Stream the events that `GET /api/admin/events` would list, a line of JSON for each. After 100,000 events, the
    last line is `{"next": …}`: send that as `after` for the next ones.
    """
    return await exported(env, operator, await require_query(env, asked))


async def exported(env: Env, operator: Operator, read: ReadQuery) -> Response:
    """Return the events that match as a file of JSON lines, read while it is sent."""
    pages = export_events(env, operator, read.wanted, read.start)
    return StreamingResponse(_lines(pages), media_type=_JSON_LINES, headers=_AS_FILE)


async def _lines(pages: AsyncIterator[EventsPage]) -> AsyncIterator[str]:
    onward = None
    async for page in pages:
        yield as_lines(page)
        onward = page.next
    if onward is not None:
        yield f"{as_line({'next': onward.to_cursor()})}\n"
