"""Re-authentication: require a recent sign-in for what could harm the account's owner (ASVS 5.0, 7.5.1).

Flows that change a credential or delete the account ask for the current password. Other sensitive flows require that
the caller's token tells of a recent sign-in: the user steps up (`flows/step_up.py`), and repeats the request with the
new token. If the account has a second factor, all of them require a recent sign-in with it.

Between a check and the change that it allows, a password reset may commit. So each flow checks again with these
functions, inside the transaction that makes the change, with the account locked.
"""

from datetime import datetime, timedelta

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.model.accounts import Account
from vestibule.model.clock import MOST_APART
from vestibule.model.errors import ReauthenticationRequired, SessionOver, WrongPassword
from vestibule.model.sessions import EndReason, Session
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Level

PASSWORD = "password"
"""The name in refusals of the way in which an account without a second factor signs in again."""


async def ways_to_reauthenticate(env: Env, caller: Caller) -> tuple[tuple[str, ...], bool]:
    """Return the ways in which the caller can sign in again: the kinds of their second factors, or the password if
    there are none; and whether their recent sign-in lacks only a second factor.
    """
    async with env.store.reading() as read:
        ways = await _ways(read, caller.account.id)
    return ways, _is_recent(env, caller, env.clock.now()) and caller.level < _needed(ways)


async def ask_for_recent_sign_in(env: Env, caller: Caller) -> None:
    """Raise what `require_recent_sign_in` raises, before a form is shown that needs a recent sign-in."""
    async with env.store.reading() as read:
        await require_recent_sign_in(env, read, caller, env.clock.now())


async def ask_for_recent_factor(env: Env, caller: Caller) -> None:
    """Raise what `require_recent_sign_in` raises, if the account has a second factor. For forms that ask for the
    password, which is not enough then.
    """
    async with env.store.reading() as read:
        if (await read.factors.of(caller.account.id)).needed:
            await require_recent_sign_in(env, read, caller, env.clock.now())


async def lock_unchanged(tx: Ports, account: Account, session_id: str, now: datetime) -> Session:
    """Lock the account, require that it is unchanged since it was checked, and return the session. Call it first in the
    transaction.

    Raises `WrongPassword` if the account's epoch has changed since the check, or if it is disabled or gone; and
    `SessionOver` if the session has ended.
    """
    current = await tx.accounts.lock(account.id)
    if current is None or current.epoch != account.epoch or current.disabled_at is not None:
        raise WrongPassword
    return await require_live_session(tx, account.id, session_id, now)


async def lock_proven(env: Env, tx: Ports, account: Account, caller: Caller, now: datetime) -> Session:
    """Lock the account and return the session as `lock_unchanged` does. Call it after the password was checked. If the
    account has a second factor, the password is not enough: raises `ReauthenticationRequired` unless the caller signed
    in with that factor lately.
    """
    session = await lock_unchanged(tx, account, caller.session_id, now)
    if (await tx.factors.of(account.id)).needed:
        await _require_recent(env, tx, caller, now)
    return session


async def lock_recent(env: Env, tx: Ports, caller: Caller, now: datetime) -> None:
    """Lock the caller's account, and raise what `require_recent_sign_in` raises. Call it first in the transaction."""
    await tx.accounts.lock(caller.account.id)
    await require_recent_sign_in(env, tx, caller, now)


async def require_recent_sign_in(env: Env, tx: Ports, caller: Caller, now: datetime) -> None:
    """Raise `ReauthenticationRequired` unless the caller's token tells of a recent sign-in, with a second factor if the
    account has one. Raise `SessionOver` if the session has ended since `identify`. Call it inside the transaction: what
    it raises undoes that.

    Only the token counts: a later step-up of the session does not make an older token recent.
    """
    await require_live_session(tx, caller.account.id, caller.session_id, now)
    await _require_recent(env, tx, caller, now)


async def _require_recent(env: Env, tx: Ports, caller: Caller, now: datetime) -> None:
    await require_enough(env, tx, caller.account.id, caller.level if _is_recent(env, caller, now) else None)


def _is_recent(env: Env, caller: Caller, now: datetime) -> bool:
    return signed_in_within(env.policy.reauthentication, caller, now)


def signed_in_within(limit: timedelta, caller: Caller, now: datetime) -> bool:
    """Return whether the caller's token tells of a sign-in at most `limit` ago. A sign-in in the future, by a clock
    that was ahead, counts if it is at most twice `MOST_APART` away.
    """
    age = timedelta(seconds=int(now.timestamp()) - caller.authenticated_at)  # tokens have whole seconds
    return -2 * MOST_APART <= age <= limit


async def require_enough(env: Env, tx: Ports, account_id: str, level: Level | None) -> None:
    """Raise `ReauthenticationRequired` unless a sign-in of this level is enough: it must be by two factors if the
    account has a second factor. `level` is None without a recent sign-in.
    """
    ways = await _ways(tx, account_id)
    if level is None or level < _needed(ways):
        seconds = int(env.policy.reauthentication.total_seconds())
        raise ReauthenticationRequired(ways, seconds, lacks_factor=level is not None)


def _needed(ways: tuple[str, ...]) -> Level:
    return Level.ONE_FACTOR if ways == (PASSWORD,) else Level.TWO_FACTORS


async def _ways(tx: Ports, account_id: str) -> tuple[str, ...]:
    return (await tx.factors.of(account_id)).kinds or (PASSWORD,)


async def require_live_session(tx: Ports, account_id: str, session_id: str, now: datetime) -> Session:
    """Return the session; raises `SessionOver` if it has ended, or is not this account's."""
    found = await tx.sessions.find(session_id)
    if found is None or found[1].id != account_id:
        raise SessionOver
    session, account = found
    if account.disabled_at is not None:
        raise SessionOver(EndReason.ACCOUNT_DISABLED)
    reason = session.why_over(now)
    if reason is not None:
        raise SessionOver(reason)
    return session
