"""Login attempt: count an attempt before its password is checked, so that concurrent attempts cannot exceed the limit.

All flows that check a password use this: sign-in, change of password or email, deletion. An email without an account
runs the same statements as one with an account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.know_device import circumstances, place_of
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.tell_owner import ONE_A_DAY, tell_owner
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import Overloaded, TooManyAttempts, WrongPassword
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.limits import Limit
from vestibule.model.login_attempts import (
    AttemptCounter,
    LoginAttempt,
    LoginAttemptLimits,
    counters_of_attempts,
)
from vestibule.model.refused_sign_ins import WhyRefused
from vestibule.model.store import Ports

_ONE_PAUSE_A_DAY = replace(ONE_A_DAY, name="second_factor_paused_letters")
_ONE_EVENT_A_MINUTE = Limit("refused_attempts_told", 1, timedelta(minutes=1))


@retry_on_conflict
async def count_attempt(
    env: Env, counters: Sequence[AttemptCounter], limits: LoginAttemptLimits | None = None
) -> LoginAttempt:
    """Count an attempt in the first of these counters that has attempts left, and return it. Raises `TooManyAttempts`
    if it is too early for the next one. `limits`: those of these counters; by default, the policy's for passwords.

    If no counter has attempts left, the attempt is `spent`: nothing is checked until a counter is reset, and the answer
    must be the one for a wrong password.
    """
    limits, now = limits or env.policy.login_attempts, env.clock.now()
    async with env.store.steps() as steps:
        for tried, counter in enumerate(counters, start=1):
            number = await steps.login_attempts.take(counter, limits.of(counter), now)
            if number is not None:
                return LoginAttempt(counters[:tried], number, at=now)
        count = await steps.login_attempts.count(counters[-1])
    if count is not None and (wait := count.wait(limits, now)) is not None:
        raise TooManyAttempts(wait)
    return LoginAttempt(counters, spent=True)


async def check_attempt(env: Env, account: Account | None, password: str, attempt: LoginAttempt) -> bool:
    """Return whether the password of an attempt is right. Raises `Overloaded`, and gives the attempt back, if too many
    wait for a check.

    The password of a spent attempt is not checked. Any other refusal takes the same work, whatever the kind of hash,
    without an account, and for a right password over the limit.
    """
    if attempt.spent:
        return False
    stored = account.password_hash if account else None
    try:
        matches = await env.passwords.match(password, stored)
    except Overloaded:
        # The password was not checked. If the attempt counted, a program that retries through a flood would lock its
        # own account.
        await give_back(env, attempt)
        raise
    accepted = matches and attempt.within_limit(env.policy.login_attempts)
    if not accepted or account is None or account.disabled_at is not None:
        await even_out(env, password, stored)
        return False
    return True


async def even_out(env: Env, password: str, stored: str | None) -> None:
    """Do the work by which the costliest hash of any account exceeds `stored`, so that every wrong password takes
    equally long.
    """
    async with env.store.reading() as read:
        costs = await read.accounts.hash_costs()
    await env.passwords.even_out(password, stored, costs)


async def check_current_password(
    env: Env, caller: Caller, password: str, client_info: ClientInfo
) -> tuple[Account, Sequence[str]]:
    """Return the caller's account, if this is its password, and the keys of the attempt counters, to reset in the
    transaction that the password allows. Raises `WrongPassword`, `TooManyAttempts`, or `Overloaded` if too many wait
    for a check.

    The counters are not reset here: the password alone may not be enough, and a reset at each right password would give
    a thief who shares a counter with the owner new attempts.

    A caller has signed in before, so the attempt counts as that of a known device. Callers whose device is not known
    share one counter (place 0).
    """
    async with env.store.reading() as read:
        account = await read.accounts.get(caller.account.id)
        place = await place_of(read, account, client_info) or 0
    counters = counters_of_attempts(account, caller.account.email, place, env.policy.login_attempts)
    attempt = await count_attempt(env, counters)
    right = await check_attempt(env, account, password, attempt)
    if account is None or not right:
        await record_failed_attempt(env, account, attempt, client_info)
        raise WrongPassword
    await give_back(env, attempt)
    return account, attempt.keys


@retry_on_conflict
async def give_back(env: Env, attempt: LoginAttempt, limits: LoginAttemptLimits | None = None) -> None:
    """Take back an attempt that was counted, because its password was not checked, or was right. The next attempt does
    not have to wait for this one. `limits`: those of the attempt's counter; by default, the policy's for passwords.
    """
    if attempt.at is None:  # spent, so it was not counted
        return
    limits = (limits or env.policy.login_attempts).of(attempt.counter)
    async with env.store.steps() as steps:
        await steps.login_attempts.give_back(attempt.counter, limits, attempt.at)


@retry_on_conflict
async def record_failed_attempt(
    env: Env,
    account: Account | None,
    attempt: LoginAttempt,
    client_info: ClientInfo,
    kind: EventKind = EventKind.SIGN_IN_REFUSED,
    limits: LoginAttemptLimits | None = None,
    detail: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Record the event of a failed attempt. Its detail is the reason for a refused sign-in, otherwise `detail`; with
    `paused` if the attempt is the last one before a pause, or is made during it. Of attempts during a pause, which are
    not checked, record one a minute: otherwise anybody could fill the table of events. When second
    factors are paused, mail the owner, at most once a day: somebody who knows the password tried the codes. `limits`:
    those of the attempt's counters; by default, the policy's for passwords.
    """
    limits, now = limits or env.policy.login_attempts, env.clock.now()
    paused = attempt.pauses(limits)
    if kind is EventKind.SIGN_IN_REFUSED:
        detail = {"reason": _why_refused(env, account, attempt).value}
    refused = Event(
        now,
        kind,
        account_id=account.id if account else None,
        network_address=client_info.network_address,
        detail={**detail, **({"paused": "true"} if paused else {})},
    )
    async with env.store.transaction() as tx:
        if attempt.spent and not await tx.rate_counters.take(_ONE_EVENT_A_MINUTE, attempt.counter.key, now):
            return
        if paused and kind is EventKind.SECOND_FACTOR_REFUSED and account is not None:
            await _tell_of_pause(tx, account, client_info, now)
        await tx.events.record(refused)
    if paused:
        env.letters_waiting.set()


def _why_refused(env: Env, account: Account | None, attempt: LoginAttempt) -> WhyRefused:
    if account is None:
        return WhyRefused.NO_ACCOUNT
    if account.disabled_at is not None:
        return WhyRefused.DISABLED
    if attempt.spent:
        return WhyRefused.NOT_CHECKED
    if not account.verified and env.policy.conceals_unverified:
        return WhyRefused.UNVERIFIED
    pauses = attempt.pauses(env.policy.login_attempts)
    return WhyRefused.LAST_BEFORE_PAUSE if pauses else WhyRefused.WRONG


async def _tell_of_pause(tx: Ports, account: Account, client_info: ClientInfo, now: datetime) -> None:
    detail, kind = circumstances(client_info, now), LetterKind.SECOND_FACTOR_PAUSED
    letter = QueuedLetter(new_id(), kind, now, account.id, language=client_info.language, detail=detail)
    await tell_owner(tx, letter, _ONE_PAUSE_A_DAY)
