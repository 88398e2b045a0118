"""Sign in: an address and its password become a session of their own, and its two tokens."""

from dataclasses import dataclass

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.issue_tokens import Tokens, issue_tokens
from vestibule.flows.know_device import know_device
from vestibule.model.accounts import Account
from vestibule.model.errors import AddressNotVerified, WrongCredentials
from vestibule.model.events import Event, EventKind
from vestibule.model.sessions import Device, Session, begin
from vestibule.model.visitors import Visitor


@dataclass(frozen=True)
class SignedIn:
    """The outcome of a sign-in that needs nothing more. `device_secret` is for a new device to keep."""

    account: Account
    session: Session
    tokens: Tokens
    device_secret: str | None = None


async def sign_in(env: Env, address: str, password: str, visitor: Visitor) -> SignedIn:
    """Raises `WrongCredentials`, after the same work whether the address or the password is unknown,
    and `AddressNotVerified` to who knows the password, where a proven address is mandatory.
    """
    async with env.store.reading() as read:
        account = await read.accounts.at_address(address)
    matches = await env.passwords.match(password, account.password_hash if account else None)
    if account is None or not matches or account.disabled_at is not None:
        await _note_refusal(env, account, visitor.device)
        raise WrongCredentials
    if env.policy.verification_mandatory and not account.verified:
        raise AddressNotVerified
    session, device_secret = await _open_session(env, account, visitor)
    await _renew_hash(env, account, password)
    await env.mirror.show(session, account)
    return SignedIn(account, session, await issue_tokens(env, session, account, session.created_at), device_secret)


async def _open_session(env: Env, account: Account, visitor: Visitor) -> tuple[Session, str | None]:
    now = env.clock.now()
    session = begin(new_id(), account.id, visitor.device, env.policy.sessions, now)
    device_secret: str | None = None
    async with env.store.transaction() as tx:
        # The password was checked against `account` a moment ago; if it changed since, this opens nothing.
        opened = await tx.sessions.open(session, account.epoch)
        if opened:
            device_secret = await know_device(tx, account, visitor, now)
            await tx.events.record(
                Event(now, EventKind.SIGNED_IN, account.id, session.id, network_address=visitor.network_address)
            )
    if not opened:
        raise WrongCredentials
    if device_secret is not None:
        env.letters_waiting.set()
    return session, device_secret


async def _renew_hash(env: Env, account: Account, password: str) -> None:
    """Now that the password is at hand, replace a hash of another algorithm or of an older cost."""
    if account.password_hash is None or not env.passwords.outdated(account.password_hash):
        return
    renewed = await env.passwords.hash(password)
    async with env.store.transaction() as tx:
        await tx.accounts.replace_hash(account.id, account.password_hash, renewed)


async def _note_refusal(env: Env, account: Account | None, device: Device) -> None:
    refused = Event(
        env.clock.now(),
        EventKind.SIGN_IN_REFUSED,
        account_id=account.id if account else None,
        network_address=device.network_address,
    )
    async with env.store.transaction() as tx:
        await tx.events.record(refused)
