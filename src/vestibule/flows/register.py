"""Register: somebody new gives a name, an address and a password, and is sent a link that proves the address."""

from vestibule.crypto.entropy import new_id
from vestibule.flows.ask_for_letter import to_whoever_has, within_limits
from vestibule.flows.end_sessions import announce, end_all_sessions
from vestibule.flows.end_trust import void_what_was_asked
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import REGISTERED_ANEW_AFTER, Account, Role
from vestibule.model.errors import AddressTaken, Overloaded
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason
from vestibule.model.store import Transaction
from vestibule.model.visitors import Visitor


async def register(env: Env, name: str, address: str, password: str, visitor: Visitor) -> Account:
    """The new account. `address` is canonical. Raises `PasswordTooEasy` or `AddressTaken`; where accounts are
    concealed, returns one that does not exist instead, tells the owner of the address, and takes the same steps for a
    known and an unknown one, also where a network has asked for too many letters: then neither gets one.

    An address that nobody has proven and nobody has used can be registered again: what was given before is gone.
    """
    env.policy.passwords.require_hard_to_guess(password, address)
    account = await _made(env, name, address, password, visitor)
    registered, revoked = await _add(env, account, visitor)
    if registered is None or env.policy.conceal_accounts:
        await _compare(env, address, password)
    if registered is None:
        raise AddressTaken
    await announce(env, revoked)
    env.letters_waiting.set()
    return registered


async def _compare(env: Env, address: str, password: str) -> None:
    """Where the email was registered already, and never verified: unless it was with this password, whose stands is in
    doubt, and a click in the mailbox will not make it good. A repeated click on the form repeats the password.
    """
    async with env.store.reading() as read:
        there = await read.accounts.at_address(address)
    stored = there.password_hash if there is not None and not there.verified else None
    try:
        same = await env.passwords.match(password, stored)
    except Overloaded:
        same = False
    await _doubt(env, address, stored if same else None)


@retry_on_conflict
async def _doubt(env: Env, address: str, known: str | None) -> None:
    async with env.store.transaction() as tx:
        await tx.accounts.doubt_password(address, env.clock.now(), known)


@retry_on_conflict
async def _add(env: Env, account: Account, visitor: Visitor) -> tuple[Account | None, list[Revocation]]:
    """Who is registered then, None if the address is taken and that may be told; and what ended."""
    concealing, address = env.policy.conceal_accounts, account.address
    registered, revoked = account, list[Revocation]()
    async with env.store.transaction() as tx:
        added = await tx.accounts.add(account)
        counted = not added or concealing
        if counted:
            await tx.accounts.lock_at(address)
        kind = LetterKind.ADDRESS_TAKEN
        may_write = not counted or await within_limits(env, tx, kind, address, visitor, account.created_at) is not None
        anew, revoked = await _anew(env, tx, account) if counted and may_write else (None, [])
        if may_write and (added or anew is not None):
            registered = anew or account
            await tx.letters.queue(QueuedLetter(new_id(), LetterKind.VERIFY_ADDRESS, account.created_at, registered.id))
        elif may_write and concealing:
            await tx.letters.queue(to_whoever_has(address, LetterKind.ADDRESS_TAKEN, visitor, account.created_at))
        refused = not added and anew is None
        await tx.events.record(_event(registered, visitor, refused=refused))
        if not refused and not concealing:
            # Strangers may have spent the counter of an address before anybody had it. Where accounts are concealed,
            # that is told by a counter that begins anew, so there the proof of the address forgives.
            await tx.guesses.forgive_all(registered.id, address)
    return (None if refused and not concealing else registered), revoked


async def _made(env: Env, name: str, address: str, password: str, visitor: Visitor) -> Account:
    password_hash = await env.passwords.hash(password)
    now = env.clock.now()
    return Account(
        id=new_id(),
        name=name,
        address=address,
        role=Role.USER,
        verified=False,
        created_at=now,
        updated_at=now,
        password_hash=password_hash,
        language=visitor.language,
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


def _event(account: Account, visitor: Visitor, *, refused: bool) -> Event:
    kind, whose = (EventKind.REGISTRATION_REFUSED, None) if refused else (EventKind.REGISTERED, account.id)
    return Event(account.created_at, kind, account_id=whose, network_address=visitor.network_address)
