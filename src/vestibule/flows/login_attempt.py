"""Login attempt: it is counted before the password is checked, whichever way it came, so that no race checks too many.

Signing in, changing a password and changing an email all ask here. What is done is the same for an account and for
an email without one, statement by statement.
"""

from collections.abc import Sequence
from datetime import timedelta

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.know_device import place_of
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import Overloaded, TooManyAttempts, WrongPassword
from vestibule.model.events import Event, EventKind
from vestibule.model.limits import Limit
from vestibule.model.login_attempts import AttemptCounter, LoginAttempt, counters_of_attempts

_TOLD_ONCE = Limit("refused_attempts_told", 1, timedelta(minutes=1))


@retry_on_conflict
async def count_attempt(env: Env, counters: Sequence[AttemptCounter]) -> LoginAttempt:
    """Return the attempt, counted by the first of these counters that has tries left; `spent` if none has, and no more
    are checked until the password is reset, which is to be told as a wrong password is. Raises `TooManyAttempts` while
    the next one has to wait.
    """
    limits, now = env.policy.login_attempts, env.clock.now()
    async with env.store.transaction() as tx:
        for asked, counter in enumerate(counters, start=1):
            in_all = await tx.login_attempts.take(counter, limits.of(counter), now)
            if in_all is not None:
                return LoginAttempt(counters[:asked], in_all)
        count = await tx.login_attempts.count(counters[-1])
    if count is not None and (wait := count.wait(limits, now)) is not None:
        raise TooManyAttempts(wait)
    return LoginAttempt(counters, spent=True)


async def check_attempt(env: Env, account: Account | None, password: str, attempt: LoginAttempt) -> bool:
    """Return whether the password of an attempt is right; raises `Overloaded`, and gives the attempt back, if nobody
    can look at it.

    A spent attempt is not looked at. A wrong one takes the same work whatever hash there is, or none; so does one that
    comes too late to count.
    """
    if attempt.spent:
        return False
    stored = account.password_hash if account else None
    try:
        matches = await env.passwords.match(password, stored)
    except Overloaded:
        # It was never looked at. Else a robot that keeps trying through a flood would pause its own account.
        await _give_back(env, attempt.counter)
        raise
    counts = attempt.counts(env.policy.login_attempts)
    if not matches or not counts or account is None or account.disabled_at is not None:
        await even_out(env, password, stored)
        return False
    return True


async def even_out(env: Env, password: str, stored: str | None) -> None:
    """Take the work that a wrong password would have taken with the costliest hash, after it was compared with
    `stored`.
    """
    async with env.store.reading() as read:
        highest, others = await read.accounts.highest_bcrypt_cost(), await read.accounts.other_argon2()
    await env.passwords.even_out(password, stored, highest, others)


async def prove_again(env: Env, caller: Caller, password: str, client_info: ClientInfo) -> Account:
    """Return the caller's account, if this is its password; raises `WrongPassword`, `TooManyAttempts`, or `Overloaded`
    if too many wait for a check.

    A caller has signed in before, so the attempt is counted as that of a known device: of the one that it comes from,
    or together with all others by which somebody is signed in without being known.
    """
    async with env.store.reading() as read:
        account = await read.accounts.get(caller.account.id)
        place = await place_of(read, account, client_info) or 0
    counters = counters_of_attempts(account, caller.account.email, place, env.policy.login_attempts)
    attempt = await count_attempt(env, counters)
    right = await check_attempt(env, account, password, attempt)
    if right:
        await forgive_attempts(env, attempt.keys)
    else:
        await record_failed_attempt(env, account, attempt, client_info)
    if account is None or not right:
        raise WrongPassword
    return account


@retry_on_conflict
async def _give_back(env: Env, counter: AttemptCounter) -> None:
    async with env.store.transaction() as tx:
        await tx.login_attempts.give_back(counter)


@retry_on_conflict
async def forgive_attempts(env: Env, keys: Sequence[str]) -> None:
    """Reset the counters with these keys, after a right password."""
    async with env.store.transaction() as tx:
        await tx.login_attempts.forgive(keys)


@retry_on_conflict
async def record_failed_attempt(
    env: Env, account: Account | None, attempt: LoginAttempt, client_info: ClientInfo
) -> None:
    """Record the event of a wrong attempt; the last one that is checked says that it is. Of those after it, which count
    for nothing, one in a minute is recorded: otherwise anybody could write hundreds a minute for as long as they like.
    """
    limits, now = env.policy.login_attempts, env.clock.now()
    refused = Event(
        now,
        EventKind.SIGN_IN_REFUSED,
        account_id=account.id if account else None,
        network_address=client_info.network_address,
        detail={"paused": "true"} if attempt.pauses(limits) else {},
    )
    async with env.store.transaction() as tx:
        if not attempt.spent or await tx.rate_counters.take(_TOLD_ONCE, attempt.counter.key, now):
            await tx.events.record(refused)
