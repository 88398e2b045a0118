"""Watch events: find recorded events, and purge those older than the policy keeps them."""

from collections.abc import Mapping, Sequence

from vestibule.flows.env import Env
from vestibule.flows.purge import purge_all
from vestibule.model.events import Event, EventFilter


async def find_events(env: Env, wanted: EventFilter, most: int) -> list[tuple[int, Event]]:
    """Return up to `most` of the newest events that match, or, with `wanted.after`, the first ones after that number:
    the oldest of them first, each with its number.
    """
    async with env.store.reading() as read:
        return await read.events.find(wanted, most)


async def emails_in(env: Env, events: Sequence[Event]) -> Mapping[str, str]:
    """Return, by account id, the emails of the accounts that the events are about and of the operators who acted."""
    named = {name for event in events for name in (event.account_id, event.actor_id) if name}
    async with env.store.reading() as read:
        return await read.account_search.emails_of(sorted(named))


async def purge_old_events(env: Env) -> int:
    """Delete events older than the policy keeps them, a small batch in each transaction; return their number. Deletes
    nothing if the policy keeps all.
    """
    kept = env.policy.events_kept
    if not kept:
        return 0
    return await purge_all(env, lambda tx, before, most: tx.events.purge(before, most), env.clock.now() - kept)
