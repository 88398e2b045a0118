"""Cancel a reset of an account's second factors before it is carried out.

It is canceled by an operator, by any session of the account, by the link in the letter that announced it, and by the
use of a second factor, which then is not lost. The password alone cannot cancel it.
"""

from datetime import datetime

from vestibule.crypto.opaque import digest, is_secret
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.reauthenticate import require_live_session
from vestibule.flows.require_operator import lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.tell_of_factor import tell_of_factor
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.events import EventKind
from vestibule.model.factor_errors import FactorResetLinkInvalid, FactorResetUnknown
from vestibule.model.factor_resets import AskedBy, CanceledBy, FactorReset
from vestibule.model.letters import LetterKind
from vestibule.model.one_time_tokens import Purpose
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.store import Ports


async def cancel_factor_reset(
    tx: Ports,
    account_id: str,
    by: CanceledBy,
    client_info: ClientInfo | Operator | None,
    now: datetime,
    asked_by: AskedBy | None = None,
) -> bool:
    """Cancel the reset of an account's factors, and tell the owner; with `asked_by`, only a reset that this party
    asked for. Return False if there is none. `client_info` is where the act that cancels came from, or the operator;
    None if neither is known. Call it inside the transaction of that act, with the account locked; wake the mail worker
    after the commit.
    """
    if not await tx.factor_resets.cancel(account_id, asked_by):
        return False
    event, letter = EventKind.FACTOR_RESET_CANCELED, LetterKind.FACTOR_RESET_CANCELED
    await tell_of_factor(tx, account_id, event, letter, {"by": by.value}, client_info, now)
    return True


@retry_on_conflict
async def cancel_reset(env: Env, operator: Operator, account: Account) -> bool:
    """Cancel the reset of an account for an operator; return False if there is none. Raises `PermissionMissing` and
    `SessionOver`, about the operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_for(tx, operator, Permission.PEOPLE_CHANGE, account.id, now)
        canceled = await cancel_factor_reset(tx, account.id, CanceledBy.OPERATOR, operator, now)
    env.letters_waiting.set()
    return canceled


@retry_on_conflict
async def cancel_my_reset(env: Env, caller: Caller, client_info: ClientInfo) -> None:
    """Cancel the reset of the caller's factors; any session may. Raises `FactorResetUnknown` if there is none, and
    `SessionOver`.
    """
    now, account_id = env.clock.now(), caller.account.id
    async with env.store.transaction() as tx:
        await tx.accounts.lock(account_id)
        await require_live_session(tx, account_id, caller.session_id, now)
        if not await cancel_factor_reset(tx, account_id, CanceledBy.SESSION, client_info, now):
            raise FactorResetUnknown
    env.letters_waiting.set()


async def reset_of_link(env: Env, secret: str) -> FactorReset:
    """Return the reset that a mailed link can cancel, without canceling it; raises `FactorResetLinkInvalid`."""
    if not is_secret(secret):
        raise FactorResetLinkInvalid
    async with env.store.reading() as read:
        usable = await read.one_time_tokens.usable(digest(secret), Purpose.KEEP_FACTORS, env.clock.now())
        account = await read.accounts.of_token(digest(secret)) if usable else None
        reset = await read.factor_resets.of(account.id) if account is not None else None
    if reset is None:
        raise FactorResetLinkInvalid
    return reset


@retry_on_conflict
async def cancel_by_link(env: Env, secret: str, client_info: ClientInfo) -> None:
    """Cancel the reset that the link was mailed for; raises `FactorResetLinkInvalid`, also if the reset is over."""
    if not is_secret(secret):
        raise FactorResetLinkInvalid
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await tx.accounts.lock_for_token(digest(secret))
        token = await tx.one_time_tokens.consume(digest(secret), Purpose.KEEP_FACTORS, now)
        if token is None or not await cancel_factor_reset(tx, token.account_id, CanceledBy.LINK, client_info, now):
            raise FactorResetLinkInvalid
    env.letters_waiting.set()
