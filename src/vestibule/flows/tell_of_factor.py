"""Tell the owner of a factor: record what happened to a second factor, and write to the account's owner."""

from collections.abc import Mapping
from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.flows.know_device import circumstances
from vestibule.flows.tell_owner import tell_owner
from vestibule.model.client_info import ClientInfo
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.operators import Operator
from vestibule.model.store import Ports


async def tell_of_factor(
    tx: Ports,
    account_id: str,
    event: EventKind,
    letter: LetterKind,
    detail: Mapping[str, str],
    by: ClientInfo | Operator | None,
    now: datetime,
) -> bool:
    """Record the event, and queue the letter to the owner, both with this detail; return whether the letter is within
    its limit. `by` is who made the change; None if the end of a wait did. Call it inside the transaction that makes the
    change; wake the mail worker after the commit.
    """
    client_info = by if isinstance(by, ClientInfo) else None
    if isinstance(by, Operator):
        await tx.events.record(by.event(now, event, account_id, **detail))
    else:
        address = client_info.network_address if client_info else None
        await tx.events.record(Event(now, event, account_id, network_address=address, detail=dict(detail)))
    told = {**(circumstances(client_info, now) if client_info else {}), **detail}
    language = client_info.language if client_info else None
    return await tell_owner(tx, QueuedLetter(new_id(), letter, now, account_id, language=language, detail=told))
