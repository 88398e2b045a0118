"""Sign in: check an email and its password, then begin a session, or wait for a second step."""

from contextlib import suppress

from vestibule.flows.begin_session import EnrolmentNeeded, Proof, SecondFactorNeeded, SignedIn, begin_session
from vestibule.flows.env import Env
from vestibule.flows.know_device import place_of
from vestibule.flows.login_attempt import (
    check_attempt,
    count_attempt,
    give_back,
    record_failed_attempt,
)
from vestibule.flows.retry import retry_on_conflict
from vestibule.model import refresh_tokens
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import EmailNotVerified, Overloaded, RefreshRefused, StoreUnavailable, WrongCredentials
from vestibule.model.login_attempts import counters_of_attempts
from vestibule.protocol.authentication import Method


async def sign_in(
    env: Env, email: str, password: str, client_info: ClientInfo, held: str = ""
) -> SignedIn | SecondFactorNeeded | EnrolmentNeeded:
    """Begin a session and return its tokens; or, if the account has a second factor, return what the second step needs
    (`complete_sign_in`); or, if it must have one and has none, what setting one up needs (`enrol_at_sign_in`). `held`
    is the refresh token that the browser sent, if any: if it is this account's, its session ends (ASVS 5.0, 7.2.4).

    Raises `WrongCredentials` for an unknown email or a wrong password, after the same work; after too many wrong
    passwords, also for the right one. Raises `TooManyAttempts` if it is too early for the next attempt, `Overloaded` if
    too many requests wait for a hash, and `EmailNotVerified`, for the right password, if a verified email is mandatory.

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
        # Take the attempt back, but do not reset the counter: without a known device, it is shared with strangers.
        await give_back(env, attempt)
        raise EmailNotVerified
    proof = Proof((Method.PASSWORD,), attempt.keys, session_held(env, held))
    outcome = await begin_session(env, account, client_info, proof)
    if not isinstance(outcome, SignedIn):
        # The password was right, but only a complete sign-in resets the counters.
        await give_back(env, attempt)
    await _renew_hash(env, account, password)
    return outcome


def session_held(env: Env, refresh_token: str) -> str | None:
    """Return the id of a refresh token's session; None if the token is not valid, which refuses no sign-in."""
    try:
        token = refresh_tokens.read(refresh_token, env.policy.issuer, env.keys.refresh, env.clock.now())
    except RefreshRefused:
        return None
    return token.session_id


async def _renew_hash(env: Env, account: Account, password: str) -> None:
    """Replace the hash if its algorithm, cost or pepper is outdated: only a sign-in knows the password. If too many
    wait for a hash, or the database is away, the next sign-in does it: this one is complete, and its session open.
    """
    if account.password_hash is None or not env.passwords.outdated(account.password_hash):
        return
    with suppress(Overloaded, StoreUnavailable):
        await _replace_hash(env, account.id, account.password_hash, await env.passwords.hash(password))


@retry_on_conflict
async def _replace_hash(env: Env, account_id: str, old: str, new: str) -> None:
    async with env.store.transaction() as tx:
        await tx.accounts.replace_hash(account_id, old, new)
