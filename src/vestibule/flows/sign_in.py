"""Sign in: an address and its password become a session of their own, and its two tokens."""

from dataclasses import dataclass

from vestibule.crypto.entropy import new_id
from vestibule.flows.end_sessions import announce, end_longest_unseen
from vestibule.flows.env import Env
from vestibule.flows.guess import check_guess, count_guess, forgive_guesses, record_wrong_guess
from vestibule.flows.issue_tokens import Tokens, issue_tokens
from vestibule.flows.know_device import is_familiar, know_device
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.errors import AddressNotVerified, WrongCredentials
from vestibule.model.events import Event, EventKind
from vestibule.model.guesses import Budget
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import Session, begin
from vestibule.model.visitors import Visitor


@dataclass(frozen=True)
class SignedIn:
    """The outcome of a sign-in that needs nothing more. `device_secret` is for a new device to keep."""

    account: Account
    session: Session
    tokens: Tokens
    device_secret: str | None = None


async def sign_in(env: Env, address: str, password: str, visitor: Visitor) -> SignedIn:
    """Raises `WrongCredentials`, after the same work whether the address or the password is unknown, and for the right
    password too once there were too many wrong ones; `TooManyAttempts` while the next one has to wait; and
    `AddressNotVerified` to who knows the password, where a proven address is mandatory.
    """
    async with env.store.reading() as read:
        account = await read.accounts.at_address(address)
        budget = Budget.of(account, address, familiar=await is_familiar(read, account, visitor))
    guesses = await count_guess(env, budget)
    right = await check_guess(env, account, password, budget, guesses)
    if account is None or not right:
        await record_wrong_guess(env, account, guesses, visitor)
        raise WrongCredentials
    if env.policy.verification_mandatory and not account.verified:
        await forgive_guesses(env, budget)
        raise AddressNotVerified
    session, device_secret = await _open_session(env, account, visitor, budget)
    await _renew_hash(env, account, password)
    await env.mirror.show(session, account)
    return SignedIn(account, session, await issue_tokens(env, session, account, session.created_at), device_secret)


@retry_on_conflict
async def _open_session(env: Env, account: Account, visitor: Visitor, budget: Budget) -> tuple[Session, str | None]:
    now = env.clock.now()
    session = begin(new_id(), account.id, visitor.device, env.policy.sessions, now)
    device_secret: str | None = None
    revoked: list[Revocation] = []
    async with env.store.transaction() as tx:
        # The password was checked against `account` a moment ago; if it changed since, this opens nothing.
        opened = await tx.sessions.open(session, account.epoch)
        if opened:
            revoked = await end_longest_unseen(env, tx, session, opened, now)
            await tx.guesses.forgive(budget)
            device_secret = await know_device(tx, account, visitor, now)
            await tx.events.record(
                Event(now, EventKind.SIGNED_IN, account.id, session.id, network_address=visitor.network_address)
            )
    if not opened:
        raise WrongCredentials
    if device_secret is not None:
        env.letters_waiting.set()
    await announce(env, revoked)
    return session, device_secret


async def _renew_hash(env: Env, account: Account, password: str) -> None:
    """Now that the password is at hand, replace a hash of another algorithm or of an older cost."""
    if account.password_hash is None or not env.passwords.outdated(account.password_hash):
        return
    await _replace_hash(env, account.id, account.password_hash, await env.passwords.hash(password))


@retry_on_conflict
async def _replace_hash(env: Env, account_id: str, old: str, new: str) -> None:
    async with env.store.transaction() as tx:
        await tx.accounts.replace_hash(account_id, old, new)
