"""Tell the owner if two people seem to use a session: a second refresh came from another program and network.

Within grace, a refresh token is accepted twice, from a second tab as from a thief who follows right after the owner
(decision 0004). But a tab has the owner's program or the owner's network. A device with neither causes an event, at
most one a day for a session, and a letter, at most one a day for an account.
"""

from datetime import datetime, timedelta

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.know_device import circumstances
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.tell_owner import tell_owner
from vestibule.model.client_info import ClientInfo
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.limits import Limit, network_of
from vestibule.model.sessions import Device, Session

_EVENT_LIMIT = Limit("session_shared", times=1, within=timedelta(days=1))
_LETTER_LIMIT = Limit("session_shared_letters", times=1, within=timedelta(days=1))


async def tell_if_shared(env: Env, session: Session, device: Device, now: datetime) -> None:
    """Record the event and queue the letter, if `device` has neither the program nor the network of the sign-in."""
    if is_strange(session.device, device) and await _tell(env, session, device, now):
        env.letters_waiting.set()


def is_strange(known: Device, device: Device) -> bool:
    """Return whether `device` has neither the program nor the network of the known one."""
    same_network = network_of(known.network_address) == network_of(device.network_address)
    return known.user_agent != device.user_agent and not same_network


@retry_on_conflict
async def _tell(env: Env, session: Session, device: Device, now: datetime) -> bool:
    async with env.store.transaction() as tx:
        if await tx.accounts.lock(session.account_id) is None:
            return False
        if not await tx.rate_counters.take(_EVENT_LIMIT, session.id, now):
            return False
        detail = circumstances(ClientInfo(device), now)
        letter = QueuedLetter(new_id(), LetterKind.NEW_DEVICE, now, session.account_id, detail=detail)
        await tell_owner(tx, letter, _LETTER_LIMIT)
        await tx.events.record(
            Event(
                now,
                EventKind.SESSION_SHARED,
                session.account_id,
                session.id,
                network_address=device.network_address,
            )
        )
        return True
