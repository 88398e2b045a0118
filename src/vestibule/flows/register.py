"""Register: add an account with a name, an email and a password, and mail a link that verifies the email.

An unverified email can be registered again, perhaps by somebody else. Then it is unknown which of the two owns the
mailbox, so the stored password is in doubt. Verifying the email removes a password that is in doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.flows.announce import announce
from vestibule.flows.ask_for_letter import (
    count_letter_of_new_account,
    count_letter_to_email,
    going_to,
    letter_by_email,
)
from vestibule.flows.clear_factors import clear_factors
from vestibule.flows.end_sessions import end_all_sessions
from vestibule.flows.end_trust import void_links
from vestibule.flows.env import Env
from vestibule.flows.login_attempt import even_out
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import REGISTERED_AGAIN_AFTER, Account, Role
from vestibule.model.client_info import ClientInfo
from vestibule.model.clock import SMALLEST_STEP
from vestibule.model.errors import EmailTaken, Overloaded
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports


async def register(env: Env, name: str, email: str, password: str, client_info: ClientInfo) -> Account:
    """Register an account and return it. `email` is canonical. Raises `PasswordTooEasy`, `Overloaded`, and `EmailTaken`
    unless accounts are concealed.

    If the email has an account that nobody has verified or used, that account is replaced.
    """
    env.policy.passwords.require_hard_to_guess(password, email)
    account = await _new_account(env, name, email, password, client_info)
    if env.policy.conceal_accounts:
        return await _register_concealed(env, account, password, client_info)
    return await _register_openly(env, account, password, client_info)


@dataclass(frozen=True)
class _Registered:
    """The account to show in the response, and the revocations of sessions opened after an earlier registration."""

    account: Account
    revoked: Sequence[Revocation] = ()


@dataclass(frozen=True)
class _Doubt:
    """When a registration put a password in doubt, and the hash of that password. `password_hash` is None if this
    registration must not take the doubt back: an earlier one had put the password in doubt already.
    """

    at: datetime
    password_hash: str | None = None


async def _register_openly(env: Env, account: Account, password: str, client_info: ClientInfo) -> Account:
    """Register the account, mail its link and return it; raises `EmailTaken`."""
    outcome = await _add_openly(env, account, client_info)
    if isinstance(outcome, _Doubt):
        await _take_back_if_same(env, account.email, password, outcome)
        raise EmailTaken
    return await _finish(env, outcome)


@retry_on_conflict
async def _add_openly(env: Env, account: Account, client_info: ClientInfo) -> _Registered | _Doubt:
    """Add the account, or replace one that is unverified and unused; return it. If the email is taken, put its password
    in doubt, and return the doubt.
    """
    async with env.store.transaction() as tx:
        if await tx.accounts.add(account):
            if await count_letter_of_new_account(env, tx, account.email, account.created_at):
                await tx.letters.queue(_verification_letter(account, client_info))
            await _record_and_reset(tx, account, client_info)
            return _Registered(account)
        doubt = await _put_in_doubt(tx, account)
        if await _count_letter(env, tx, account, client_info):
            replaced, revoked = await _register_again(env, tx, account)
            if replaced is not None:
                await tx.letters.queue(_verification_letter(replaced, client_info))
                await _record_and_reset(tx, replaced, client_info)
                return _Registered(replaced, revoked)
        await tx.events.record(_refusal(account, client_info))
        return doubt


async def _record_and_reset(tx: Ports, account: Account, client_info: ClientInfo) -> None:
    """Record the registration, and reset login attempts: strangers may have used up those of the email before."""
    await tx.events.record(_registration(account, client_info))
    await tx.login_attempts.reset_all(account.id, account.email)


async def _register_concealed(env: Env, account: Account, password: str, client_info: ClientInfo) -> Account:
    """Register the account and mail its link. If the email is taken, write to its owner instead, and return an account
    that is not stored. A known and an unknown email run the same steps. If the network has asked for too many letters,
    neither gets one.
    """
    outcome, doubt = await _add_concealed(env, account, client_info)
    await _take_back_if_same(env, account.email, password, doubt)
    return await _finish(env, outcome)


@retry_on_conflict
async def _add_concealed(env: Env, account: Account, client_info: ClientInfo) -> tuple[_Registered, _Doubt]:
    """Add the account, or replace one that is unverified and unused, or queue a letter to the owner of the email.
    Return the account to answer with, and the doubt.

    Does not reset login attempts, because that would tell that the email was free. `verify_email` resets them.
    """
    async with env.store.transaction() as tx:
        added = await tx.accounts.add(account)
        doubt = await _put_in_doubt(tx, account)
        may_write = await _count_letter(env, tx, account, client_info)
        replaced, revoked = await _register_again(env, tx, account) if may_write else (None, [])
        registered = account if added else replaced
        if may_write:
            letter_to = _verification_letter if registered else _taken_letter
            await tx.letters.queue(letter_to(registered or account, client_info))
        event = _registration(registered, client_info) if registered else _refusal(account, client_info)
        await tx.events.record(event)
    if replaced is not None:  # the old password is gone with the old account
        doubt = _Doubt(doubt.at)
    return _Registered(registered or account, revoked), doubt


async def _finish(env: Env, outcome: _Registered) -> Account:
    """Announce the revocations, wake the mail worker, and return the account."""
    await announce(env, outcome.revoked)
    env.letters_waiting.set()
    return outcome.account


async def _take_back_if_same(env: Env, email: str, password: str, doubt: _Doubt) -> None:
    """Take the doubt back if the stored password is the same, as after a double click on the form. Do the same work if
    it is another one. If too many requests wait for a hash, the doubt stays.
    """
    same = False
    try:
        same = await env.passwords.match(password, doubt.password_hash)
        await even_out(env, password, doubt.password_hash)  # also for the same password: both take the same steps
    except Overloaded:
        pass
    await _take_back(env, email, doubt.password_hash if same else None, doubt.at)


@retry_on_conflict
async def _take_back(env: Env, email: str, password_hash: str | None, doubted_at: datetime) -> None:
    async with env.store.transaction() as tx:
        await tx.accounts.trust_password(email, password_hash, doubted_at)


async def _put_in_doubt(tx: Ports, account: Account) -> _Doubt:
    """Put in doubt the password of an unverified account with this email, and return the doubt. Call it before a letter
    is queued: a click on the link in it must not confirm a password that may be somebody else's.
    """
    stored, doubted_at = await tx.accounts.lock_at(account.email), account.created_at
    earlier = stored.registered_again_at if stored is not None else None
    if earlier is not None:
        # A doubt is taken back by its time, so each registration needs a time of its own.
        doubted_at = max(doubted_at, earlier + SMALLEST_STEP)
    doubted = await tx.accounts.doubt_password(account.email, doubted_at, account.password_hash)
    is_first = doubted and earlier is None
    return _Doubt(doubted_at, stored.password_hash if is_first and stored is not None else None)


async def _count_letter(env: Env, tx: Ports, account: Account, client_info: ClientInfo) -> bool:
    """Count one more letter to an email that may be taken; return False, and count nothing, if it is one too many."""
    kind, now = LetterKind.EMAIL_TAKEN, account.created_at
    return await count_letter_to_email(env, tx, kind, account.email, client_info, now) is not None


async def _new_account(env: Env, name: str, email: str, password: str, client_info: ClientInfo) -> Account:
    password_hash = await env.passwords.hash(password)
    now = env.clock.now()
    return Account(
        id=new_id(),
        name=name,
        email=email,
        role=Role.USER,
        verified=False,
        created_at=now,
        updated_at=now,
        password_hash=password_hash,
        language=client_info.language,
    )


async def _register_again(env: Env, tx: Ports, account: Account) -> tuple[Account | None, list[Revocation]]:
    """Replace the data of the stored account, if it is unverified and unused; return it, or None if it was not
    replaced. Also void its mailed links, remove its factors, and end a session that is just being opened with the old
    password; return the revocations.
    """
    now = account.created_at
    replaced = await tx.accounts.register_again(account, now - REGISTERED_AGAIN_AFTER)
    # If no account was replaced, use the new id, which has no row: the steps must be the same for all emails.
    account_id = replaced.id if replaced is not None else account.id
    revoked = await end_all_sessions(env, tx, account_id, EndReason.PASSWORD_CHANGED, now)
    await void_links(tx, account_id, now)
    await clear_factors(tx, account_id)
    return replaced, revoked


def _verification_letter(account: Account, client_info: ClientInfo) -> QueuedLetter:
    detail = going_to(client_info.return_to)
    return QueuedLetter(new_id(), LetterKind.VERIFY_EMAIL, account.created_at, account.id, detail=detail)


def _taken_letter(account: Account, client_info: ClientInfo) -> QueuedLetter:
    return letter_by_email(account.email, LetterKind.EMAIL_TAKEN, client_info, account.created_at)


def _registration(account: Account, client_info: ClientInfo) -> Event:
    return Event(account.created_at, EventKind.REGISTERED, account.id, network_address=client_info.network_address)


def _refusal(account: Account, client_info: ClientInfo) -> Event:
    return Event(account.created_at, EventKind.REGISTRATION_REFUSED, network_address=client_info.network_address)
