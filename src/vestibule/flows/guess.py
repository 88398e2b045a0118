"""Guess: a password is counted before it is checked, whichever way it came, so that no race checks more than allowed.

Signing in, changing a password and changing an address all ask here. What is done is the same for an account and for
an address without one, statement by statement.
"""

from datetime import timedelta

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.errors import Overloaded, TooManyAttempts, WrongPassword
from vestibule.model.events import Event, EventKind
from vestibule.model.guesses import Budget
from vestibule.model.visitors import Visitor

_MEMORY = timedelta(days=30)


@retry_on_conflict
async def count_guess(env: Env, budget: Budget) -> int | None:
    """How many guesses in a row this one makes; None if no more are checked until the password is reset, which is to
    be told as a wrong password is. Raises `TooManyAttempts` while the next one has to wait.
    """
    limits, now = env.policy.guesses, env.clock.now()
    async with env.store.transaction() as tx:
        guesses = await tx.guesses.take(budget, limits, now)
        count = await tx.guesses.count(budget) if guesses is None else None
    if count is not None and (wait := count.wait(limits, now)) is not None:
        raise TooManyAttempts(wait)
    return guesses


async def check_guess(env: Env, account: Account | None, password: str, budget: Budget, guesses: int | None) -> bool:
    """Whether a counted guess is right. A wrong one takes the same work whatever hash there is, or none."""
    if guesses is None:
        return False
    stored = account.password_hash if account else None
    try:
        matches = await env.passwords.match(password, stored)
    except Overloaded:
        # It was never looked at. Else a robot that keeps trying through a flood would pause its own account.
        await _give_back(env, budget)
        raise
    if not matches or account is None or account.disabled_at is not None:
        async with env.store.reading() as read:
            dearest = await read.accounts.dearest_bcrypt()
        await env.passwords.even_out(password, stored, dearest)
        return False
    return True


async def prove_again(env: Env, caller: Caller, password: str, visitor: Visitor) -> Account:
    """The caller's account, if this is its password; raises `WrongPassword` or `TooManyAttempts`.

    Who is signed in has signed in before, so these guesses are counted with those of familiar devices.
    """
    async with env.store.reading() as read:
        account = await read.accounts.get(caller.account.id)
    budget = Budget.of(account, caller.account.address, familiar=True)
    guesses = await count_guess(env, budget)
    right = await check_guess(env, account, password, budget, guesses)
    if right:
        await forgive_guesses(env, budget)
    else:
        await record_wrong_guess(env, account, guesses, visitor)
    if account is None or not right:
        raise WrongPassword
    return account


@retry_on_conflict
async def _give_back(env: Env, budget: Budget) -> None:
    async with env.store.transaction() as tx:
        await tx.guesses.give_back(budget)


@retry_on_conflict
async def forgive_guesses(env: Env, budget: Budget) -> None:
    """After a right password."""
    async with env.store.transaction() as tx:
        await tx.guesses.forgive(budget)


@retry_on_conflict
async def record_wrong_guess(env: Env, account: Account | None, guesses: int | None, visitor: Visitor) -> None:
    """The event of a wrong guess; the last one that is checked says that it is."""
    paused = guesses is None or guesses >= env.policy.guesses.at_most
    refused = Event(
        env.clock.now(),
        EventKind.SIGN_IN_REFUSED,
        account_id=account.id if account else None,
        network_address=visitor.network_address,
        detail={"paused": "true"} if paused else {},
    )
    async with env.store.transaction() as tx:
        await tx.events.record(refused)


@retry_on_conflict
async def forget_old_guesses(env: Env) -> int:
    """Delete what was counted for addresses without an account and is a month old; how much. What concerns an account
    stays until a right password: a hundred in a row are a hundred, however long they take.
    """
    async with env.store.transaction() as tx:
        return await tx.guesses.forget(env.clock.now() - _MEMORY)
