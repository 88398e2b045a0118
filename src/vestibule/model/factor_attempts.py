"""The attempt counters for second factors and email codes: like those for passwords, but with limits of their own.

A right password resets no counter here: otherwise somebody who has only the password could guess codes without end.
"""

from dataclasses import replace
from datetime import timedelta

from vestibule.model.accounts import Account
from vestibule.model.login_attempts import AttemptCounter, LoginAttemptLimits, counters_of_attempts

SECOND = "second:"
"""The prefix of the keys of counters for second factors."""
MAILED = "mailed:"
"""The prefix of the keys of counters for email codes."""
_A_DAY = timedelta(days=1)

SECOND_FACTOR_LIMITS = LoginAttemptLimits(
    at_most=50, free=10, first_wait=_A_DAY, longest_wait=_A_DAY, waits_restart_after=None
)
"""Ten wrong codes from all devices that are not known, then one a day, fifty in all; and five from each place of known
devices. Together that is the hundred that SP 800-63B-4, 3.2.2 allows. A code has a million values, and three are good
at a time: an attacker with the password finds one with a chance of 1 in 33,000 on the first day, 1 in 6,700 ever.
"""
RECOVERY_CODE_LIMITS = replace(SECOND_FACTOR_LIMITS, at_most=2000, free=1000)
"""Wrong recovery codes: a thousand, then one a day, two thousand in all, and as many from known devices. A code has 50
random bits, so four thousand find one with a chance of 1 in 280,000 million. Each costs one hash; without a limit, one
account could keep the server hashing.
"""


def counters_of_second_factor(
    account: Account, place: int | None, limits: LoginAttemptLimits = SECOND_FACTOR_LIMITS
) -> tuple[AttemptCounter, ...]:
    """Return the counters for a second factor of an account, in order, as `counters_of_attempts` does. By `limits` they
    are those for recovery codes or for all other factors. What resets the counters for passwords does not reset these.
    """
    kind = SECOND + ("recovery:" if limits is RECOVERY_CODE_LIMITS else "")
    others = AttemptCounter(f"{kind}others:{account.id}", account.id)
    if place is None:
        return (others,)
    device = AttemptCounter.of_device(account.id, place, limits)
    return replace(device, key=kind + device.key), others


def keys_of_second_step(account: Account, place: int | None) -> list[str]:
    """Return the keys of the counters that a completed second step resets: of each kind, that of this device if it is
    known, otherwise that of all others.
    """
    kinds = (SECOND_FACTOR_LIMITS, RECOVERY_CODE_LIMITS)
    return [counters_of_second_factor(account, place, limits)[0].key for limits in kinds]


EMAIL_CODE_LIMITS = LoginAttemptLimits(
    at_most=100, free=100, waits_restart_after=timedelta(days=1), total_restarts=True
)
"""A hundred wrong email codes from all devices that are not known, without waits, and a day later as many again; and
ten from each place of known devices. A guess finds a code of 40 bits with a chance of 1 in a million million, so more
time does not help as it would with six digits (decision 0053).
"""


def counters_of_email_code(account: Account | None, email: str, place: int | None) -> tuple[AttemptCounter, ...]:
    """Return the counters for email codes, in order, as `counters_of_attempts` does. What resets these does not reset
    the counters for passwords, and the other way round.
    """
    counters = counters_of_attempts(account, email, place, EMAIL_CODE_LIMITS)
    return tuple(replace(counter, key=MAILED + counter.key) for counter in counters)
