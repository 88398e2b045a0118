"""Register: somebody new gives a name, an email and a password, and is sent a link that verifies the email."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vestibule.crypto.entropy import new_id
from vestibule.flows.ask_for_letter import for_new_account, to_whoever_has, within_limits
from vestibule.flows.end_sessions import announce, end_all_sessions
from vestibule.flows.end_trust import void_what_was_asked
from vestibule.flows.env import Env
from vestibule.flows.login_attempt import even_out
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import REGISTERED_AGAIN_AFTER, Account, Role
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import EmailTaken, Overloaded
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason
from vestibule.model.store import Transaction

_MOMENT = timedelta(microseconds=1)


async def register(env: Env, name: str, email: str, password: str, client_info: ClientInfo) -> Account:
    """Return the new account. `email` is canonical. Raises `PasswordTooEasy`, and `EmailTaken` unless accounts are
    concealed.

    An email that nobody has verified and nobody has used can be registered again: what was given before is gone.
    """
    env.policy.passwords.require_hard_to_guess(password, email)
    account = await _made(env, name, email, password, client_info)
    if env.policy.conceal_accounts:
        return await _register_concealed(env, account, password, client_info)
    return await _register_openly(env, account, password, client_info)


@dataclass(frozen=True)
class _Registered:
    """The account to answer with, and what ended with the registration before."""

    account: Account
    revoked: Sequence[Revocation] = ()


@dataclass(frozen=True)
class _Doubted:
    """The password that a registration put in doubt, and when; `stored` is None where there was nothing to doubt."""

    at: datetime
    stored: str | None = None


async def _register_openly(env: Env, account: Account, password: str, client_info: ClientInfo) -> Account:
    """Register the account, mail its link and return it; raises `EmailTaken`."""
    outcome = await _add_openly(env, account, client_info)
    if isinstance(outcome, _Doubted):
        await _compare(env, account.email, password, outcome)
        raise EmailTaken
    return await _registered(env, outcome)


@retry_on_conflict
async def _add_openly(env: Env, account: Account, client_info: ClientInfo) -> _Registered | _Doubted:
    """Add the account, or replace one that is nobody's; return it. If the email is taken, put its password in doubt,
    and return the doubt.
    """
    async with env.store.transaction() as tx:
        if await tx.accounts.add(account):
            if await for_new_account(env, tx, account.email, account.created_at):
                await tx.letters.queue(_link_for(account))
            await _begin_with(tx, account, client_info)
            return _Registered(account)
        doubted = await _doubt(tx, account)
        if await _may_write(env, tx, account, client_info):
            again, revoked = await _register_again(env, tx, account)
            if again is not None:
                await tx.letters.queue(_link_for(again))
                await _begin_with(tx, again, client_info)
                return _Registered(again, revoked)
        await tx.events.record(_refusal(account, client_info))
        return doubted


async def _begin_with(tx: Transaction, account: Account, client_info: ClientInfo) -> None:
    """Record the registration, and forgive: strangers may have spent the attempts of an email before anybody had it."""
    await tx.events.record(_registration(account, client_info))
    await tx.login_attempts.forgive_all(account.id, account.email)


async def _register_concealed(env: Env, account: Account, password: str, client_info: ClientInfo) -> Account:
    """Register the account and mail its link, or, if the email is taken, tell its owner and return an account that does
    not exist. The steps are the same for a known and an unknown email, also where a network has asked for too many
    letters: then neither gets one.
    """
    outcome, doubted = await _add_concealed(env, account, client_info)
    await _compare(env, account.email, password, doubted)
    return await _registered(env, outcome)


@retry_on_conflict
async def _add_concealed(env: Env, account: Account, client_info: ClientInfo) -> tuple[_Registered, _Doubted]:
    """Add the account, or replace one that is nobody's, or queue a letter to the owner of the email; return the account
    to answer with, and what is in doubt.

    Resets no login attempts, which would tell that the email was free: its verification does.
    """
    async with env.store.transaction() as tx:
        added = await tx.accounts.add(account)
        doubted = await _doubt(tx, account)
        may_write = await _may_write(env, tx, account, client_info)
        again, revoked = await _register_again(env, tx, account) if may_write else (None, [])
        registered = account if added else again
        if may_write:
            await tx.letters.queue(_link_for(registered) if registered else _notice_for(account, client_info))
        await tx.events.record((_registration if registered else _refusal)(registered or account, client_info))
    if again is not None:  # with another password
        doubted = _Doubted(doubted.at)
    return _Registered(registered or account, revoked), doubted


async def _registered(env: Env, outcome: _Registered) -> Account:
    """Announce what ended, wake the mail worker, and return the account."""
    await announce(env, outcome.revoked)
    env.letters_waiting.set()
    return outcome.account


async def _compare(env: Env, email: str, password: str, doubted: _Doubted) -> None:
    """Take the doubt back if the email was registered with this very password: a repeated click on the form repeats it.
    The same work for everybody else, and no refusal: where nobody can look, the doubt stays.
    """
    same = False
    try:
        same = await env.passwords.match(password, doubted.stored)
        await even_out(env, password, doubted.stored)  # also for the same, whose statements would be fewer
    except Overloaded:
        pass
    await _trust(env, email, doubted.stored if same else None, doubted.at)


@retry_on_conflict
async def _trust(env: Env, email: str, stored: str | None, doubted_at: datetime) -> None:
    async with env.store.transaction() as tx:
        await tx.accounts.trust_password(email, stored, doubted_at)


async def _doubt(tx: Transaction, account: Account) -> _Doubted:
    """Put the password in doubt with which somebody else may have registered this email, and return the doubt. Call it
    before a letter can be on its way: a click in the mailbox will not make the password good.
    """
    there, at = await tx.accounts.lock_at(account.email), account.created_at
    earlier = there.registered_again_at if there is not None else None
    if earlier is not None:
        at = max(at, earlier + _MOMENT)  # so that nobody takes another's doubt back
    doubted = await tx.accounts.doubt_password(account.email, at, account.password_hash)
    nobody_did_before = doubted and there is not None and earlier is None
    return _Doubted(at, there.password_hash if nobody_did_before and there is not None else None)


async def _may_write(env: Env, tx: Transaction, account: Account, client_info: ClientInfo) -> bool:
    """Count one more letter to an email that may be somebody's; return False, and count nothing, if it is one
    too many.
    """
    kind, now = LetterKind.EMAIL_TAKEN, account.created_at
    return await within_limits(env, tx, kind, account.email, client_info, now) is not None


async def _made(env: Env, name: str, email: str, password: str, client_info: ClientInfo) -> Account:
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


async def _register_again(env: Env, tx: Transaction, account: Account) -> tuple[Account | None, list[Revocation]]:
    """Replace what was given before for an account that is nobody's; return it, or None if it is somebody's, and what
    was revoked. Mailed codes of before are dead, and so is a session that was opened just then.
    """
    now = account.created_at
    again = await tx.accounts.register_again(account, now - REGISTERED_AGAIN_AFTER)
    whose = again.id if again is not None else account.id  # nobody's: the same steps for everybody
    revoked = await end_all_sessions(env, tx, whose, EndReason.PASSWORD_CHANGED, now)
    await void_what_was_asked(tx, whose, now)
    return again, revoked


def _link_for(account: Account) -> QueuedLetter:
    return QueuedLetter(new_id(), LetterKind.VERIFY_EMAIL, account.created_at, account.id)


def _notice_for(account: Account, client_info: ClientInfo) -> QueuedLetter:
    return to_whoever_has(account.email, LetterKind.EMAIL_TAKEN, client_info, account.created_at)


def _registration(account: Account, client_info: ClientInfo) -> Event:
    return Event(account.created_at, EventKind.REGISTERED, account.id, network_address=client_info.network_address)


def _refusal(account: Account, client_info: ClientInfo) -> Event:
    return Event(account.created_at, EventKind.REGISTRATION_REFUSED, network_address=client_info.network_address)
