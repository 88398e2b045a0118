"""Pauses of an account: everything that is not checked or not mailed for it now, whatever counter says so."""

from collections.abc import Sequence

from vestibule.flows.env import Env
from vestibule.flows.letter_counters import LetterCounter, letter_counters
from vestibule.model.accounts import Account
from vestibule.model.factor_attempts import (
    EMAIL_CODE_LIMITS,
    RECOVERY_CODE_LIMITS,
    SECOND_FACTOR_LIMITS,
    counters_of_email_code,
    counters_of_second_factor,
)
from vestibule.model.login_attempts import AttemptCounter, LoginAttemptLimits
from vestibule.model.pauses import AttemptKind, Pause, pause_of
from vestibule.model.store import Ports


async def pauses_of(env: Env, read: Ports, account: Account) -> Sequence[Pause]:
    """Return what is paused for an account now, also for a second: at most one pause of each kind."""
    now, pauses = env.clock.now(), []
    for of, (counter, limits) in _attempt_counters(env, account).items():
        count = await read.login_attempts.count(counter)
        if count and (pause := pause_of(of, count, limits, now)):
            pauses.append(pause)
    letters = {pause.of: pause for pause, _ in await letter_pauses(env, read, account)}
    return [*pauses, *letters.values()]


async def letter_pauses(env: Env, read: Ports, account: Account) -> Sequence[tuple[Pause, LetterCounter]]:
    """Return each counter that refuses a letter to the account now, with its pause, of each kind the longest last."""
    now, counters = env.clock.now(), await letter_counters(env, read, account)
    counts = await read.rate_counters.counts([(counter.what, counter.subject) for counter in counters])
    refusing = [
        (until, count.last_at(counter.what), counter)
        for counter, count in zip(counters, counts, strict=True)
        if count and (until := count.refuses_until(counter.what, now))
    ]
    in_order = sorted(refusing, key=lambda each: each[0])
    return [(Pause(counter.of, until, since), counter) for until, since, counter in in_order]


def _attempt_counters(env: Env, account: Account) -> dict[AttemptKind, tuple[AttemptCounter, LoginAttemptLimits]]:
    """Return the counters that all devices share which are not known. A known device that has used up its own counter
    falls back to these.
    """
    password = AttemptCounter.of_others(account, account.email)
    (code,) = counters_of_second_factor(account, None, SECOND_FACTOR_LIMITS)
    (recovery_code,) = counters_of_second_factor(account, None, RECOVERY_CODE_LIMITS)
    (email_code,) = counters_of_email_code(account, account.email, None)
    return {
        AttemptKind.PASSWORD: (password, env.policy.login_attempts),
        AttemptKind.CODE: (code, SECOND_FACTOR_LIMITS),
        AttemptKind.RECOVERY_CODE: (recovery_code, RECOVERY_CODE_LIMITS),
        AttemptKind.EMAIL_CODE: (email_code, EMAIL_CODE_LIMITS),
    }
