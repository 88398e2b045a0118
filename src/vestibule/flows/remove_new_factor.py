"""Remove a new factor: the owner says, by the link in the letter about it, that somebody else added it.

The person who added it had what the account asks for: a session, the password, an earlier factor. So nothing that came
later stays either, and nothing is signed in any more. An older factor stays, and is asked for at the next sign-in.
"""

from collections.abc import Sequence
from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.crypto.opaque import digest, is_secret, mint_secret
from vestibule.flows.add_factor import allow_new_factors
from vestibule.flows.cancel_factor_reset import cancel_factor_reset
from vestibule.flows.clear_factors import clear_factors
from vestibule.flows.end_sessions import Ended, announce_end
from vestibule.flows.end_trust import end_trust
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.tell_of_factor import tell_of_factor
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.events import Event, EventKind
from vestibule.model.factor_errors import FactorResetLinkInvalid
from vestibule.model.factor_resets import CanceledBy
from vestibule.model.factors import FactorKind
from vestibule.model.letters import FACTOR_REPORTED, LetterKind, QueuedLetter
from vestibule.model.one_time_tokens import OneTimeToken, Purpose, issue
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports


async def remove_new_factor(env: Env, secret: str, client_info: ClientInfo) -> str | None:
    """Remove the factor that the mailed link is for, and all factors and recovery codes that were added since. Remove
    the password too, and end every session, waiting sign-in, known device and other link. Return the secret with which
    a new password is chosen; None if the account has another email by now, to which a link for that was then mailed.

    Raises `FactorResetLinkInvalid`, also if that factor was removed since.
    """
    if not is_secret(secret):
        raise FactorResetLinkInvalid
    reset, ended = await _remove(env, secret, client_info)
    env.letters_waiting.set()
    await announce_end(env, ended)
    return reset


@retry_on_conflict
async def _remove(env: Env, secret: str, client_info: ClientInfo) -> tuple[str | None, Ended]:
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await tx.accounts.lock_for_token(digest(secret))
        token = await tx.one_time_tokens.consume(digest(secret), Purpose.REMOVE_NEW_FACTOR, now)
        account = await tx.accounts.get(token.account_id) if token is not None else None
        if token is None or account is None:
            raise FactorResetLinkInvalid
        owner, ended = await _end_all(env, tx, account, token, now)
        await cancel_factor_reset(tx, owner.id, CanceledBy.LINK, client_info, now)
        await allow_new_factors(tx, owner.id)
        await _tell(tx, owner.id, await clear_factors(tx, owner.id, since=token.created_at), client_info, now)
        return await _lead_to_new_password(tx, owner, token, now), ended


async def _end_all(env: Env, tx: Ports, account: Account, token: OneTimeToken, now: datetime) -> tuple[Account, Ended]:
    """Remove the password and end what was signed in or could sign in; return the changed account and what ended. If
    the account has the email that the letter went to, links that undo a change of email made since are voided: one of
    them may have gone to an attacker. Otherwise they stay: one of them is the owner's way back. Raises
    `FactorResetLinkInvalid` if another account has the email.
    """
    owner = await tx.accounts.reassign_to_email(account.id, account.email, now)
    if owner is None:
        raise FactorResetLinkInvalid
    undo_since = token.created_at if owner.email == token.email else None
    return owner, await end_trust(env, tx, owner.id, EndReason.PASSWORD_RESET, now, undo_since=undo_since)


async def _tell(
    tx: Ports, account_id: str, removed: Sequence[FactorKind], client_info: ClientInfo, now: datetime
) -> None:
    """Record what happened, and tell the owner which kinds of factors went: the link may have been opened by somebody
    else who reads the mailbox.
    """
    address = client_info.network_address
    await tx.events.record(Event(now, EventKind.FACTOR_REPORTED, account_id, network_address=address))
    event, letter = EventKind.FACTOR_REMOVED, LetterKind.FACTOR_REMOVED
    for kind in dict.fromkeys(removed):
        if kind is not FactorKind.RECOVERY_CODE:  # no factor by itself
            await tell_of_factor(tx, account_id, event, letter, {"factor": kind.value}, client_info, now)


async def _lead_to_new_password(tx: Ports, owner: Account, token: OneTimeToken, now: datetime) -> str | None:
    """Return the secret of a link for a new password, if the account still has the email that the letter went to;
    otherwise mail such a link to the email that it has, and return None.
    """
    if owner.email != token.email:
        why = {"why": FACTOR_REPORTED}
        await tx.letters.queue(QueuedLetter(new_id(), LetterKind.RESET_PASSWORD, now, owner.id, detail=why))
        return None
    secret = mint_secret()
    await tx.one_time_tokens.replace(issue(digest(secret), owner, Purpose.RESET_PASSWORD, now))
    return secret
