"""Change the name of an account."""

from dataclasses import replace

from vestibule.flows.announce import announce, record_account_changed
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import SessionOver
from vestibule.model.events import Event, EventKind


@retry_on_conflict
async def change_name(env: Env, caller: Caller, name: str, client_info: ClientInfo) -> Account:
    """Give the caller's account a new name, and return the changed account. Raises `SessionOver` if the account
    was disabled or deleted meanwhile, or its password or email changed.
    """
    now, account = env.clock.now(), caller.account
    records = []
    async with env.store.transaction() as tx:
        changed = await tx.accounts.set_name(account.id, account.epoch, name, now)
        if changed:
            where = client_info.network_address
            await tx.events.record(Event(now, EventKind.NAME_CHANGED, account.id, network_address=where))
            # Other processes remember the account with the old name.
            records = await record_account_changed(tx, account.id, now)
    if not changed:
        raise SessionOver
    await announce(env, records)
    return replace(account, name=name, updated_at=now)
