"""Sign in: check an email and its password, begin a new session, and issue its two tokens."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.flows.announce import announce
from vestibule.flows.end_sessions import end_longest_unseen, end_session
from vestibule.flows.env import Env
from vestibule.flows.issue_tokens import Tokens, issue_tokens
from vestibule.flows.know_device import know_device, place_of
from vestibule.flows.login_attempt import (
    check_attempt,
    count_attempt,
    forgive_attempts,
    record_failed_attempt,
)
from vestibule.flows.retry import retry_on_conflict
from vestibule.model import refresh_tokens
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.devices import DeviceSecret
from vestibule.model.errors import EmailNotVerified, RefreshRefused, WrongCredentials
from vestibule.model.events import Event, EventKind
from vestibule.model.login_attempts import counters_of_attempts
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason, Session, begin
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Method

Confirm = Callable[[Ports, datetime], Awaitable[None]]
"""What a proof still has to do in the transaction that opens the session. If it raises, no session begins."""


@dataclass(frozen=True)
class SignedIn:
    """The outcome of a sign-in. `device` is the secret by which the browser is known next time."""

    account: Account
    session: Session
    tokens: Tokens
    device: DeviceSecret


async def sign_in(env: Env, email: str, password: str, client_info: ClientInfo, held: str = "") -> SignedIn:
    """Begin a session and return its tokens. `held` is the refresh token that the browser sent, if any: if it is this
    account's, its session ends (ASVS 5.0, 7.2.4).

    Raises `WrongCredentials` for an unknown email or a wrong password, after the same work; and after too many wrong
    ones, for the right password too. Raises `TooManyAttempts` while the next attempt has to wait, `Overloaded` if too
    many wait for a check, and `EmailNotVerified`, for the right password, if a verified email is mandatory.

    If accounts are concealed, an unverified account is answered like no account: otherwise a person who has just
    registered an email would learn that it was free.
    """
    async with env.store.reading() as read:
        account = await read.accounts.with_email(email)
        counters = counters_of_attempts(
            account, email, await place_of(read, account, client_info), env.policy.login_attempts
        )
    attempt = await count_attempt(env, counters)
    concealed = account is not None and not account.verified and env.policy.conceals_unverified
    right = await check_attempt(env, None if concealed else account, password, attempt)
    if account is None or not right:
        await record_failed_attempt(env, account, attempt, client_info)
        raise WrongCredentials
    if env.policy.verification_mandatory and not account.verified:
        await forgive_attempts(env, attempt.keys)
        raise EmailNotVerified
    held_session = session_held(env, held)
    signed_in = await begin_session(env, account, client_info, attempt.keys, held_session)
    await _renew_hash(env, account, password)
    return signed_in


async def begin_session(
    env: Env,
    account: Account,
    client_info: ClientInfo,
    counter_keys: Sequence[str] = (),
    held_session: str | None = None,
    methods: tuple[str, ...] = (Method.PASSWORD,),
    confirm: Confirm | None = None,
) -> SignedIn:
    """Begin a session of an account whose user just authenticated by these methods, and issue its tokens. Reset the
    counters of attempts, and end the session that the browser held before, if it is this account's. Raises
    `WrongCredentials` if the account changed since, and what `confirm` raises.
    """
    session, device = await _open_session(env, account, client_info, counter_keys, held_session, methods, confirm)
    await env.replica.put(session, account)
    return SignedIn(account, session, await issue_tokens(env, session, account, session.created_at), device)


def session_held(env: Env, refresh_token: str) -> str | None:
    """Return the session of a refresh token; None if the token is not valid. That is no reason to refuse a sign-in."""
    try:
        token = refresh_tokens.read(refresh_token, env.policy.issuer, env.keys.refresh, env.clock.now())
    except RefreshRefused:
        return None
    return token.session_id


@retry_on_conflict
async def _open_session(
    env: Env,
    account: Account,
    client_info: ClientInfo,
    counter_keys: Sequence[str],
    held_session: str | None,
    methods: tuple[str, ...],
    confirm: Confirm | None,
) -> tuple[Session, DeviceSecret]:
    """Open the session and end the one that the browser held before. Return the new session with the device's secret.
    Raises `WrongCredentials` if the account changed since its user authenticated, and what `confirm` raises.
    """
    now = env.clock.now()
    session = begin(new_id(), account.id, client_info.device, env.policy.sessions, now, methods)
    revoked: list[Revocation] = []
    async with env.store.transaction() as tx:
        # What proves the user was checked before this transaction. If the account's epoch changed since, both steps do
        # nothing.
        if not account.verified and account.first_used_at is None:
            await tx.accounts.note_use(account.id, account.epoch, now)
        opened = await tx.sessions.open(session, account.epoch)
        if opened:
            if confirm is not None:
                await confirm(tx, now)
            if held_session is not None:
                revoked = await end_session(env, tx, held_session, account.id, EndReason.SIGNED_OUT, now)
            revoked += await end_longest_unseen(env, tx, session, opened - len(revoked), now)
            await tx.events.record(
                Event(now, EventKind.SIGNED_IN, account.id, session.id, network_address=client_info.network_address)
            )
            device, new = await know_device(tx, account, client_info, now)
            await tx.login_attempts.forgive(counter_keys)
    if not opened:
        raise WrongCredentials
    if new:
        env.letters_waiting.set()
    await announce(env, revoked)
    return session, device


async def _renew_hash(env: Env, account: Account, password: str) -> None:
    """Replace the hash if its algorithm, cost or pepper is outdated: only now is the password known."""
    if account.password_hash is None or not env.passwords.outdated(account.password_hash):
        return
    await _replace_hash(env, account.id, account.password_hash, await env.passwords.hash(password))


@retry_on_conflict
async def _replace_hash(env: Env, account_id: str, old: str, new: str) -> None:
    async with env.store.transaction() as tx:
        await tx.accounts.replace_hash(account_id, old, new)
