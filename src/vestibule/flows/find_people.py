"""Find people: an operator looks for accounts by email, name or id, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from vestibule.crypto.entropy import is_id
from vestibule.flows.env import Env
from vestibule.model.account_search import Batch, Order, Position
from vestibule.model.accounts import MAX_NAME_CHARACTERS, Account, NotAnEmail, canonical_email
from vestibule.model.operator_errors import PersonUnknown
from vestibule.model.store import Ports
from vestibule.protocol.utf8 import is_utf8

PEOPLE_AT_ONCE = 50
"""How many accounts one page reads at most."""
_START = Position(Order.EMAIL)
_NO_MORE = Batch((), None)


@dataclass(frozen=True)
class PeoplePage:
    """Some of the accounts that were found, and where the next ones begin; None if these were the last. A page may be
    short, even empty, although others follow.
    """

    accounts: Sequence[Account]
    next: Position | None = None


async def find_people(
    env: Env, typed: str = "", start: Position | None = None, most: int = PEOPLE_AT_ONCE
) -> PeoplePage:
    """Return a page of up to `most` accounts, at most `PEOPLE_AT_ONCE`, that match what was typed: the one with this
    id; otherwise those whose email begins with it, ordered by email, then those whose name does, ordered by name. If
    nothing was typed, all accounts match, ordered by email.
    """
    typed = typed.strip()
    if len(typed) > MAX_NAME_CHARACTERS or "\0" in typed or not is_utf8(typed):
        return PeoplePage(())  # no stored email, name or id can match
    async with env.store.reading() as read:
        if typed and start is None and (account := await read.accounts.get(typed)):
            return PeoplePage([account])
        return await _page(read, typed, start or _START, min(most, PEOPLE_AT_ONCE))


async def _page(read: Ports, typed: str, start: Position, most: int) -> PeoplePage:
    email, emails = _as_email(typed), _NO_MORE
    if start.order is Order.EMAIL:
        emails = await read.account_search.by_email(email, start.after, most)
        if emails.end:
            return PeoplePage(emails.accounts, Position(Order.EMAIL, emails.end))
    if not typed:
        return PeoplePage(emails.accounts)
    after = start.after if start.order is Order.NAME else None
    names = await read.account_search.by_name(typed, after, most - len(emails.accounts))
    # Accounts whose email begins with it are listed already.
    others = [account for account in names.accounts if not account.email.startswith(email)]
    return PeoplePage([*emails.accounts, *others], names.end and Position(Order.NAME, names.end))


def _as_email(typed: str) -> str:
    """Return what was typed, perhaps only the beginning of an email, in the form in which emails are stored."""
    try:
        return canonical_email(typed)
    except NotAnEmail:
        return typed.lower()


async def find_account(env: Env, email: str) -> Account | None:
    """Return the account at a canonical email, or None."""
    async with env.store.reading() as read:
        return await read.accounts.with_email(email)


async def account_with_id(env: Env, account_id: str) -> Account:
    """Return the account; raises `PersonUnknown`."""
    if not is_id(account_id):
        raise PersonUnknown
    async with env.store.reading() as read:
        account = await read.accounts.get(account_id)
    if account is None:
        raise PersonUnknown
    return account


async def find_account_of(env: Env, who: str) -> Account | None:
    """Return the account with this email, which need not be canonical, or with this id; None if there is none."""
    if "\0" in who or not is_utf8(who):
        return None
    async with env.store.reading() as read:
        found = await read.accounts.with_email(_as_email(who.strip()))
        return found or await read.accounts.get(who.strip())
