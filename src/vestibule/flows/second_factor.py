"""Check a second factor that is typed: a code of the authenticator app, or a recovery code.

Codes have attempt counters of their own, shared by every route; recovery codes, which cannot be guessed, have separate
ones. A right password or a password reset does not reset them, only a completed second step or an operator: otherwise
an attacker with the password could guess for ever.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from vestibule.crypto import totp
from vestibule.flows.begin_session import Spend
from vestibule.flows.env import Env
from vestibule.flows.know_device import place_of
from vestibule.flows.login_attempt import count_attempt, give_back, record_failed_attempt
from vestibule.flows.open_totp import open_totp
from vestibule.flows.tell_of_factor import tell_of_factor
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import Overloaded, TooManyAttempts
from vestibule.model.events import EventKind
from vestibule.model.factor_attempts import (
    RECOVERY_CODE_LIMITS,
    SECOND_FACTOR_LIMITS,
    counters_of_second_factor,
    keys_of_second_step,
)
from vestibule.model.factor_errors import CodeOfAnotherTime, CodeUsed, SecondFactorPaused, TotpUnavailable, WrongCode
from vestibule.model.letters import LetterKind
from vestibule.model.login_attempts import LoginAttempt, LoginAttemptLimits
from vestibule.model.recovery_codes import RecoveryCode, read_code
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Method

METHODS = (Method.ONE_TIME_CODE, Method.MORE_THAN_ONE_FACTOR)
"""The methods that a right code adds to those of the first step (RFC 8176)."""
_REFUSED = EventKind.SECOND_FACTOR_REFUSED


@dataclass(frozen=True)
class SecondFactor:
    """A factor that was right. `spend` uses it up, inside the transaction that it allows; then the attempt counters
    `counter_keys` are reset. `is_new`: `spend` adds the factor to the account. `record_used` records the event that a
    right code had been used before.
    """

    spend: Spend
    counter_keys: Sequence[str]
    is_new: bool = False
    record_used: Callable[[], Awaitable[None]] | None = None

    @asynccontextmanager
    async def spending(self) -> AsyncIterator[None]:
        """Run the block, which spends the code. If the code was used before, record that, because somebody may have
        watched the owner type it; then raise the block's `WrongCode` again.
        """
        try:
            yield
        except WrongCode:
            if self.record_used is not None:
                await self.record_used()
            raise


async def check_second_factor(
    env: Env, account: Account, code: str, client_info: ClientInfo, *, signed_in: bool = False
) -> SecondFactor:
    """Return the factor, if the code is right, for the caller to spend. `signed_in`: the caller has a session, so the
    attempt counts as that of a known device, as in `check_current_password`.

    Raises `WrongCode` or `CodeOfAnotherTime`; `SecondFactorPaused` after too many wrong codes, even if this one is
    right; `TotpUnavailable`; and `Overloaded`.
    """
    place = await _place(env, account, client_info, signed_in)
    limits = SECOND_FACTOR_LIMITS if read_code(code) is None else RECOVERY_CODE_LIMITS
    attempt = await _count(env, account, place, limits, client_info)
    spend = await _check(env, account, code, attempt, limits, client_info)
    if isinstance(spend, WrongCode):
        await record_failed_attempt(env, account, attempt, client_info, _REFUSED, limits)
        raise spend
    used = partial(record_failed_attempt, env, account, attempt, client_info, _REFUSED, limits, {"why": "used"})
    return SecondFactor(spend, (*attempt.keys, *keys_of_second_step(account, place)), record_used=used)


async def counters_reset_by(
    env: Env, account: Account, client_info: ClientInfo, *, signed_in: bool = False
) -> Sequence[str]:
    """Return the keys of the counters that a second step with a passkey resets in this browser, as a code does."""
    return keys_of_second_step(account, await _place(env, account, client_info, signed_in))


async def _place(env: Env, account: Account, client_info: ClientInfo, signed_in: bool) -> int | None:
    async with env.store.reading() as read:
        place = await place_of(read, account, client_info)
    return 0 if signed_in and place is None else place


async def _count(
    env: Env, account: Account, place: int | None, limits: LoginAttemptLimits, client_info: ClientInfo
) -> LoginAttempt:
    """Count an attempt before its code is checked. Raises `SecondFactorPaused`, and records an event a minute, if no
    counter has an attempt left now.
    """
    counters, wait = counters_of_second_factor(account, place, limits), None
    try:
        attempt = await count_attempt(env, counters, limits)
    except TooManyAttempts as paused:
        attempt, wait = LoginAttempt(counters, spent=True), paused.retry_after_seconds
    if attempt.spent:
        await record_failed_attempt(env, account, attempt, client_info, _REFUSED, limits)
        raise SecondFactorPaused(wait)
    return attempt


async def _check(
    env: Env,
    account: Account,
    code: str,
    attempt: LoginAttempt,
    limits: LoginAttemptLimits,
    client_info: ClientInfo,
) -> Spend | WrongCode:
    """Return the step that spends the code, or what is wrong with the code. If it could not be checked, give the
    attempt back, and raise `TotpUnavailable` or `Overloaded`.
    """
    try:
        if totp.is_code(plain := "".join(code.split())):
            return await _totp(env, account, plain, attempt)
        return await _recovery_code(env, account, code, client_info)
    except (TotpUnavailable, Overloaded):
        await give_back(env, attempt, limits)
        raise


async def _totp(env: Env, account: Account, code: str, attempt: LoginAttempt) -> Spend | WrongCode:
    async with env.store.reading() as read:
        app = await read.totps.confirmed(account.id)
    if app is None:
        return WrongCode()
    secret, now = open_totp(env, app), env.clock.now().timestamp()
    step = totp.step_of(code, secret, now)
    if step is not None:
        return partial(_spend_step, app.id, step)
    told = totp.is_of_earlier_time(code, secret, now) or (
        _may_be_told_of_later(attempt) and totp.is_of_later_time(code, secret, now)
    )
    return CodeOfAnotherTime() if told else WrongCode()


def _may_be_told_of_later(attempt: LoginAttempt) -> bool:
    """Return whether the answer may say that a code will be right in some minutes. Then one attempt tests 22 codes and
    not three, so only the first attempt of a known device or of a session gets that answer (decision 0051).
    """
    return attempt.counter.of_a_device and attempt.number == 1


async def _spend_step(totp_id: str, step: int, tx: Ports, now: datetime) -> None:
    if not await tx.totps.accept(totp_id, step, now):
        raise CodeUsed


async def _recovery_code(env: Env, account: Account, text: str, client_info: ClientInfo) -> Spend | WrongCode:
    """Check a recovery code. One that was used, or never existed, takes the same work as a wrong one."""
    code = read_code(text)
    if code is None:
        return WrongCode()
    async with env.store.reading() as read:
        stored = await read.recovery_codes.unused(account.id, code.number)
    if not await env.passwords.match(code.secret, stored) or stored is None:
        return WrongCode()
    return partial(_spend_code, account.id, code, stored, client_info)


async def _spend_code(
    account_id: str, code: RecoveryCode, stored: str, client_info: ClientInfo, tx: Ports, now: datetime
) -> None:
    """Spend the code, and tell the owner how many are left."""
    if not await tx.recovery_codes.spend(account_id, code.number, stored, now):
        raise WrongCode
    left = (await tx.factors.of(account_id)).recovery_codes_left
    event, letter = EventKind.RECOVERY_CODE_USED, LetterKind.RECOVERY_CODE_USED
    await tell_of_factor(tx, account_id, event, letter, {"left": str(left)}, client_info, now)
