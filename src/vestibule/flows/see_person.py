"""See a person: everything about one account that tells an operator why its owner cannot sign in."""

from datetime import timedelta

from vestibule.crypto.entropy import is_id
from vestibule.flows.account_factors import read_factors
from vestibule.flows.env import Env
from vestibule.model.accounts import Account, NotAnEmail, canonical_email
from vestibule.model.people import Person
from vestibule.model.reasons import ProbablyTypo
from vestibule.model.store import Ports
from vestibule.model.typos import nearest

MOST_SHOWN = 20
"""How many letters, live sessions and past sessions of a person are read at most, and how many events are shown."""
_MOST_EVENTS = 100  # that are read, more than are shown, because refusals are counted by network
_MOST_UNVERIFIED = 2_000  # unverified accounts whose email is compared with the one that was typed
_LATELY = timedelta(days=30)


async def see_person(env: Env, account_id: str) -> Person | None:
    """Return the person with this account; None if there is none."""
    if not is_id(account_id):
        return None
    async with env.store.reading() as read:
        account = await read.accounts.get(account_id)
        return await _person(env, read, account) if account else None


async def _person(env: Env, read: Ports, account: Account) -> Person:
    now, account_id = env.clock.now(), account.id
    return Person(
        account=account,
        must_verify=env.policy.verification_mandatory,
        factors=await read_factors(env, read, account),
        letters=await read.letters.latest_of(account_id, MOST_SHOWN),
        live=await read.sessions.of_account(account_id, MOST_SHOWN, now),
        live_sessions=await read.sessions.count_live(account_id, now),
        past=await read.sessions.past(account_id, MOST_SHOWN, now),
        events=await read.events.of_account(account_id, _MOST_EVENTS),
    )


async def probably_meant(env: Env, email: str) -> ProbablyTypo | None:
    """Return the unverified account of the last 30 days whose email is probably this one, mistyped. Return None if
    there is none, or if the email has an account.
    """
    try:
        meant = canonical_email(email)
    except NotAnEmail:
        return None
    async with env.store.reading() as read:
        if await read.accounts.with_email(meant) is not None:
            return None
        unverified = await read.account_search.unverified_since(env.clock.now() - _LATELY, _MOST_UNVERIFIED)
    other = nearest(meant, unverified)
    return ProbablyTypo(other) if other else None
