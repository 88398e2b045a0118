"""Register: somebody new gives a name, an email and a password, and is sent a link that verifies the email."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vestibule.crypto.entropy import new_id
from vestibule.flows.ask_for_letter import for_new_account, to_whoever_has, within_limits
from vestibule.flows.end_sessions import announce, end_all_sessions
from vestibule.flows.end_trust import void_what_was_asked
from vestibule.flows.env import Env
from vestibule.flows.login_attempt import even_out
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import REGISTERED_ANEW_AFTER, Account, Role
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import EmailTaken, Overloaded
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason
from vestibule.model.store import Transaction

_MOMENT = timedelta(microseconds=1)


async def register(env: Env, name: str, email: str, password: str, client_info: ClientInfo) -> Account:
    """The new account. `email` is canonical. Raises `PasswordTooEasy` or `EmailTaken`; where accounts are
    concealed, returns one that does not exist instead, tells the owner of the email, and takes the same steps for a
    known and an unknown one, also where a network has asked for too many letters: then neither gets one.

    An email that nobody has verified and nobody has used can be registered again: what was given before is gone.
    """
    env.policy.passwords.require_hard_to_guess(password, email)
    account = await _made(env, name, email, password, client_info)
    registered, revoked, doubted = await _add(env, account, client_info)
    if registered is None or env.policy.conceal_accounts:
        await _compare(env, email, password, doubted)
    if registered is None:
        raise EmailTaken
    await announce(env, revoked)
    env.letters_waiting.set()
    return registered


@dataclass(frozen=True)
class _Doubted:
    """The password that a registration put in doubt, and when; `stored` is None where there was nothing to doubt."""

    at: datetime
    stored: str | None = None


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
    """Put the password in doubt with which somebody else may have registered this email, before a letter can be on its
    way: a click in the mailbox will not make it good.
    """
    there, at = await tx.accounts.lock_at(account.email), account.created_at
    earlier = there.registered_again_at if there is not None else None
    if earlier is not None:
        at = max(at, earlier + _MOMENT)  # so that nobody takes another's doubt back
    doubted = await tx.accounts.doubt_password(account.email, at, account.password_hash)
    nobody_did_before = doubted and there is not None and earlier is None
    return _Doubted(at, there.password_hash if nobody_did_before and there is not None else None)


@retry_on_conflict
async def _add(
    env: Env, account: Account, client_info: ClientInfo
) -> tuple[Account | None, list[Revocation], _Doubted]:
    """Who is registered then, None if the email is taken and that may be told; what ended; and what is in doubt."""
    concealing, email = env.policy.conceal_accounts, account.email
    registered, revoked, doubted = account, list[Revocation](), _Doubted(account.created_at)
    async with env.store.transaction() as tx:
        added = await tx.accounts.add(account)
        counted = not added or concealing
        if counted:
            doubted = await _doubt(tx, account)
        kind = LetterKind.EMAIL_TAKEN
        if counted:
            may_write = await within_limits(env, tx, kind, email, client_info, account.created_at) is not None
        else:
            may_write = await for_new_account(env, tx, email, account.created_at)
        anew, revoked = await _anew(env, tx, account) if counted and may_write else (None, [])
        registered = anew or account
        if may_write and (added or anew is not None):
            doubted = doubted if anew is None else _Doubted(doubted.at)  # registered again, with another password
            await tx.letters.queue(QueuedLetter(new_id(), LetterKind.VERIFY_EMAIL, account.created_at, registered.id))
        elif may_write and concealing:
            await tx.letters.queue(to_whoever_has(email, LetterKind.EMAIL_TAKEN, client_info, account.created_at))
        refused = not added and anew is None
        await tx.events.record(_event(registered, client_info, refused=refused))
        if not refused and not concealing:
            # Strangers may have spent the counter of an email before anybody had it. Where accounts are concealed,
            # that is told by a counter that begins anew, so there the verification of the email forgives.
            await tx.login_attempts.forgive_all(registered.id, email)
    return (None if refused and not concealing else registered), revoked, doubted


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


async def _anew(env: Env, tx: Transaction, account: Account) -> tuple[Account | None, list[Revocation]]:
    """The account that was there, with what is given now, if it was nobody's; mailed codes of before are dead, and so
    is a session that was opened just then.
    """
    now = account.created_at
    anew = await tx.accounts.register_anew(account, now - REGISTERED_ANEW_AFTER)
    whose = anew.id if anew is not None else account.id  # nobody's: the same steps for everybody
    revoked = await end_all_sessions(env, tx, whose, EndReason.PASSWORD_CHANGED, now)
    await void_what_was_asked(tx, whose, now)
    return anew, revoked


def _event(account: Account, client_info: ClientInfo, *, refused: bool) -> Event:
    kind, whose = (EventKind.REGISTRATION_REFUSED, None) if refused else (EventKind.REGISTERED, account.id)
    return Event(account.created_at, kind, account_id=whose, network_address=client_info.network_address)
