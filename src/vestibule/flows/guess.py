"""Guess: a password is counted before it is checked, whichever way it came, so that no race checks more than allowed.

Signing in, changing a password and changing an address all ask here. What is done is the same for an account and for
an address without one, statement by statement.
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
from vestibule.model.guesses import Budget, CountedGuess, budgets
from vestibule.model.limits import Limit

_TOLD_ONCE = Limit("refused_guesses_told", 1, timedelta(minutes=1))


@retry_on_conflict
async def count_guess(env: Env, counters: Sequence[Budget]) -> CountedGuess | None:
    """The guess as it was counted, by the first of these counters that has tries left; None if no more are checked
    until the password is reset, which is to be told as a wrong password is. Raises `TooManyAttempts` while the next
    one has to wait.
    """
    limits, now = env.policy.guesses, env.clock.now()
    async with env.store.transaction() as tx:
        for budget in counters:
            guess = await tx.guesses.take(budget, limits.of(budget), now)
            if guess is not None:
                return guess
        count = await tx.guesses.count(counters[-1])
    if count is not None and (wait := count.wait(limits, now)) is not None:
        raise TooManyAttempts(wait)
    return None


async def check_guess(env: Env, account: Account | None, password: str, guess: CountedGuess | None) -> bool:
    """Whether a counted guess is right. A wrong one takes the same work whatever hash there is, or none; so does one
    that comes too late to count.
    """
    if guess is None:
        return False
    stored = account.password_hash if account else None
    try:
        matches = await env.passwords.match(password, stored)
    except Overloaded:
        # It was never looked at. Else a robot that keeps trying through a flood would pause its own account.
        await _give_back(env, guess.budget)
        raise
    counts = guess.counts(env.policy.guesses)
    if not matches or not counts or account is None or account.disabled_at is not None:
        await even_out(env, password, stored)
        return False
    return True


async def even_out(env: Env, password: str, stored: str | None) -> None:
    """After a password that is not that of `stored`: take the work that it would have taken with the costliest hash."""
    async with env.store.reading() as read:
        highest, others = await read.accounts.highest_bcrypt_cost(), await read.accounts.other_argon2()
    await env.passwords.even_out(password, stored, highest, others)


async def prove_again(env: Env, caller: Caller, password: str, client_info: ClientInfo) -> Account:
    """The caller's account, if this is its password; raises `WrongPassword` or `TooManyAttempts`.

    Who is signed in has signed in before, so the guess is counted as that of a known device: of the one that it comes
    from, or together with all others by which somebody is signed in without being known.
    """
    async with env.store.reading() as read:
        account = await read.accounts.get(caller.account.id)
        place = await place_of(read, account, client_info) or 0
    counters = budgets(account, caller.account.address, place, env.policy.guesses)
    guess = await count_guess(env, counters)
    right = await check_guess(env, account, password, guess)
    if right:
        await forgive_guesses(env, counters_used(counters, guess))
    else:
        await record_wrong_guess(env, counters, account, guess, client_info)
    if account is None or not right:
        raise WrongPassword
    return account


def counters_used(counters: Sequence[Budget], guess: CountedGuess | None) -> list[str]:
    """The keys of the counters that a right password begins anew: the one that counted it, and any spent before it."""
    keys = [budget.key for budget in counters]
    return keys[: keys.index(guess.budget.key) + 1] if guess else []


@retry_on_conflict
async def _give_back(env: Env, budget: Budget) -> None:
    async with env.store.transaction() as tx:
        await tx.guesses.give_back(budget)


@retry_on_conflict
async def forgive_guesses(env: Env, keys: Sequence[str]) -> None:
    """After a right password."""
    async with env.store.transaction() as tx:
        await tx.guesses.forgive(keys)


@retry_on_conflict
async def record_wrong_guess(
    env: Env, counters: Sequence[Budget], account: Account | None, guess: CountedGuess | None, client_info: ClientInfo
) -> None:
    """The event of a wrong guess; the last one that is checked says that it is. Those after it count for nothing, and
    one of them in a minute is told: else anybody could write hundreds a minute for as long as they like.
    """
    limits, now = env.policy.guesses, env.clock.now()
    paused = guess is None or (not guess.budget.of_a_device and guess.in_all >= limits.at_most)
    refused = Event(
        now,
        EventKind.SIGN_IN_REFUSED,
        account_id=account.id if account else None,
        network_address=client_info.network_address,
        detail={"paused": "true"} if paused else {},
    )
    async with env.store.transaction() as tx:
        if guess is not None or await tx.tallies.take(_TOLD_ONCE, counters[-1].key, now):
            await tx.events.record(refused)
