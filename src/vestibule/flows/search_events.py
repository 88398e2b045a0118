"""Search events: an operator looks for what happened, page by page, or exports it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from vestibule.flows.env import Env
from vestibule.flows.require_operator import require_operator
from vestibule.model.event_search import EventPosition, EventQuery
from vestibule.model.events import Event
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.store import Ports

EVENTS_AT_ONCE = 50
"""How many events one page has at most."""
MOST_EXPORTED = 100_000
"""How many events one export has at most."""
_READ_AT_ONCE = 200  # converting more to JSON would keep the event loop from other requests for too long


@dataclass(frozen=True)
class EventsPage:
    """Some of the events that were found, the latest first; the emails of the accounts that they name, by id, without
    accounts that are gone; and where the next events begin, None if these were the last. A page may be short, even
    empty, although others follow.
    """

    events: Sequence[Event]
    emails: Mapping[str, str]
    next: EventPosition | None


async def search_events(env: Env, wanted: EventQuery, start: EventPosition | None = None) -> EventsPage:
    """Return a page of the events that match."""
    async with env.store.reading() as read:
        return await _page(read, wanted, start, EVENTS_AT_ONCE)


async def export_events(
    env: Env, operator: Operator, wanted: EventQuery, start: EventPosition | None = None
) -> AsyncIterator[EventsPage]:
    """Yield pages of the events that match, up to `MOST_EXPORTED` events. Each page is read when it is needed, and
    checks the operator's permission again: raises what `require_operator` raises.
    """
    exported = 0
    while exported < MOST_EXPORTED:
        async with env.store.reading() as read:
            await require_operator(read, operator, Permission.EVENTS_READ, env.clock.now())
            page = await _page(read, wanted, start, min(_READ_AT_ONCE, MOST_EXPORTED - exported))
        yield page
        if page.next is None:
            return
        exported, start = exported + len(page.events), page.next


async def _page(read: Ports, wanted: EventQuery, start: EventPosition | None, most: int) -> EventsPage:
    batch = await read.event_search.page(wanted, start, most)
    named = {name for event in batch.events for name in (event.account_id, event.actor_id) if name}
    return EventsPage(batch.events, await read.account_search.emails_of(sorted(named)), batch.end)
