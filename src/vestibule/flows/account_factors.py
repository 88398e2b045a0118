"""Account factors: list the second factors of an account for an operator, without anything secret."""

from vestibule.flows.env import Env
from vestibule.flows.pauses import pauses_of
from vestibule.model.accounts import Account
from vestibule.model.factors import FactorKind
from vestibule.model.people import FactorList, ListedFactor
from vestibule.model.store import Ports


async def factors_of_account(env: Env, account: Account) -> FactorList:
    """Return the second factors of an account: its confirmed authenticator app, then its passkeys, the oldest first."""
    async with env.store.reading() as read:
        return await read_factors(env, read, account)


async def read_factors(env: Env, read: Ports, account: Account) -> FactorList:
    """Return the same as `factors_of_account`, on an open connection."""
    totp = await read.totps.confirmed(account.id)
    passkeys = await read.passkeys.of_account(account.id)
    stored = await read.factors.of(account.id)
    reset = await read.factor_resets.of(account.id)
    paused = await pauses_of(env, read, account)
    apps = [ListedFactor(FactorKind.TOTP, None, totp.created_at, totp.last_used_at)] if totp else []
    keys = [ListedFactor(FactorKind.PASSKEY, each.name, each.created_at, each.last_used_at) for each in passkeys]
    # Malformed rows are counted in `stored`, because a sign-in needs them, but are not listed.
    unreadable = max(0, stored.totp + stored.passkeys - len(apps + keys))
    return FactorList(apps + keys, unreadable, stored.recovery_codes_left, reset, paused)
