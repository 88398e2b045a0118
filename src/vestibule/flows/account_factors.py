"""Account factors: list the second factors of an account for an operator, without anything secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vestibule.flows.env import Env
from vestibule.flows.unlock_account import Pause, pauses_of
from vestibule.model.accounts import Account
from vestibule.model.factor_resets import FactorReset
from vestibule.model.factors import FactorKind


@dataclass(frozen=True)
class ListedFactor:
    """A second factor. Only passkeys have a name."""

    kind: FactorKind
    name: str | None
    added_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class FactorList:
    """The factors of an account, how many more are needed at a sign-in though their rows are malformed, how many
    recovery codes are unused, and the reset that is under way, if any. `paused`: what is not checked now after too
    many wrong ones.
    """

    factors: Sequence[ListedFactor]
    unreadable: int
    recovery_codes_left: int
    reset: FactorReset | None = None
    paused: Sequence[Pause] = ()


async def factors_of_account(env: Env, account: Account) -> FactorList:
    """Return the second factors of an account: its confirmed authenticator app, then its passkeys, the oldest first."""
    async with env.store.reading() as read:
        totp = await read.totps.confirmed(account.id)
        passkeys = await read.passkeys.of_account(account.id)
        stored = await read.factors.of(account.id)
        reset = await read.factor_resets.of(account.id)
        paused = await pauses_of(env, read, account)
    apps = [ListedFactor(FactorKind.TOTP, None, totp.created_at, totp.last_used_at)] if totp else []
    keys = [ListedFactor(FactorKind.PASSKEY, each.name, each.created_at, each.last_used_at) for each in passkeys]
    unreadable = max(0, stored.totp + stored.passkeys - len(apps + keys))
    return FactorList(apps + keys, unreadable, stored.recovery_codes_left, reset, paused)
