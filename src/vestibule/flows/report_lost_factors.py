"""Report lost factors: somebody with the password and a mailed link begins a reset of the account's second factors.

Off, unless a setting gives the wait. The pending sign-in proves the password, and the mailed link the mailbox. During
the wait, the owner can cancel the reset with a factor, a session or a link (`cancel_factor_reset`). With the password
alone, nobody can begin or restart a wait, or keep the owner from getting a link that works.
"""

from vestibule.crypto.entropy import new_id
from vestibule.crypto.opaque import digest, is_secret
from vestibule.flows.complete_sign_in import pending_sign_in
from vestibule.flows.env import Env
from vestibule.flows.know_device import circumstances
from vestibule.flows.reset_factors import note_begun
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.factor_errors import (
    FactorResetLinkInvalid,
    FactorResetUnavailable,
    FactorResetUnderWay,
    NoPendingSignIn,
)
from vestibule.model.factor_resets import AskedBy, FactorReset
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.limits import Limit
from vestibule.model.one_time_tokens import LIFETIMES, OneTimeToken, Purpose
from vestibule.model.pending_sign_ins import PendingSignIn
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Method

LETTERS_OF_LOST_FACTORS = Limit("factors_lost_letters", 3, LIFETIMES[Purpose.RESET_FACTORS])
"""The limit of letters to one account while a link works. When it is reached, the link in the last letter still works.
"""


async def reset_possible(env: Env, handle: str) -> FactorReset | None:
    """Return the reset that is under way for the account of a pending sign-in; None if one can be begun. Raises
    `NoPendingSignIn`, and `FactorResetUnavailable` if none can be begun with a mailed link.
    """
    pending, account = await pending_sign_in(env, handle)
    async with env.store.reading() as read:
        reset = await read.factor_resets.of(account.id)
    if reset is None:
        _require_password(pending)
        _require_available(env, account)
    return reset


async def report_lost_factors(env: Env, handle: str, client_info: ClientInfo) -> None:
    """Mail the link with which the owner begins a reset; mail nothing if too many were mailed lately. Raises
    `NoPendingSignIn`, `FactorResetUnavailable`, and `FactorResetUnderWay`.
    """
    pending, account = await pending_sign_in(env, handle)
    _require_password(pending)
    await _queue(env, pending, account.id, client_info)
    env.letters_waiting.set()


@retry_on_conflict
async def _queue(env: Env, pending: PendingSignIn, account_id: str, client_info: ClientInfo) -> None:
    now = env.clock.now()
    async with env.store.transaction() as tx:
        account = await tx.accounts.lock(account_id)
        if account is None or await tx.pending_sign_ins.find(pending.digest, now) is None:
            raise NoPendingSignIn
        _require_available(env, account)
        if await tx.factor_resets.of(account_id) is not None:
            raise FactorResetUnderWay
        if await tx.rate_counters.take(LETTERS_OF_LOST_FACTORS, account_id, now):
            kind, detail = LetterKind.FACTORS_LOST, circumstances(client_info, now)
            await tx.letters.queue(
                QueuedLetter(new_id(), kind, now, account_id, language=client_info.language, detail=detail)
            )


def _require_password(pending: PendingSignIn) -> None:
    """Raise `FactorResetUnavailable` if the sign-in began with a mailed code: then only the mailbox would be proved."""
    if Method.PASSWORD not in pending.methods:
        raise FactorResetUnavailable


def _require_available(env: Env, account: Account) -> None:
    """Raise `FactorResetUnavailable` if the settings do not allow it, or if the email is unverified."""
    if not env.policy.factor_reset_wait or not account.verified:
        raise FactorResetUnavailable


@retry_on_conflict
async def begin_reset_by_link(env: Env, secret: str) -> None:
    """Begin the wait after which the factors of the link's account are removed, and mail the owner. Raises
    `FactorResetLinkInvalid`; `FactorResetUnderWay`, which does not spend the link; and `FactorResetUnavailable`.
    """
    if not is_secret(secret):
        raise FactorResetLinkInvalid
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await tx.accounts.lock_for_token(digest(secret))
        account = await _account(tx, await tx.one_time_tokens.consume(digest(secret), Purpose.RESET_FACTORS, now))
        _require_available(env, account)
        reset = FactorReset(account.id, now, now + env.policy.factor_reset_wait, AskedBy.OWNER)
        if not await note_begun(tx, account, reset):
            raise FactorResetUnderWay
    env.letters_waiting.set()


async def _account(tx: Ports, token: OneTimeToken | None) -> Account:
    """Return the account of a spent link, if it still has factors; raises `FactorResetLinkInvalid`."""
    account = await tx.accounts.get(token.account_id) if token is not None else None
    if account is None or not (await tx.factors.of(account.id)).needed:
        raise FactorResetLinkInvalid
    return account
