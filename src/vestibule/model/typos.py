"""Typos: which email was probably meant, by edit distance (Damerau and Levenshtein)."""

from collections.abc import Sequence

from vestibule.model.accounts import Account

_MOST_TYPOS = 2
"""The greatest distance at which an email counts as mistyped."""
_FAR = _MOST_TYPOS + 1
_MOST_ROWS = 20_000
"""How many characters are compared for one search, some 50 ms: emails that differ by much take a few each. Without a
bound, strangers who register long emails that are all alike could stop the server.
"""


def nearest(email: str, accounts: Sequence[Account]) -> Account | None:
    """Return the account whose email is the nearest to this one, if that can be this one mistyped; otherwise None. If
    too many emails are too much like it, only the first of `accounts` are compared.
    """
    found, distance, rows = None, _FAR, 0
    for account in accounts:
        if rows > _MOST_ROWS:
            break
        differs, compared = _compare(email, account.email)
        rows += compared
        if differs < distance:
            found, distance = account, differs
    return found


def differing(one: str, other: str) -> int:
    """Return how many characters must be added, left out, changed or swapped to make `other` of `one`; for any number
    above `_MOST_TYPOS`, return one more than that.
    """
    return _compare(one, other)[0]


def _compare(one: str, other: str) -> tuple[int, int]:
    """Return what `differing` does, and how many characters of `one` were compared. Of each row of the table of
    distances, only those columns are filled in that at most `_MOST_TYPOS` typos can reach.
    """
    if abs(len(one) - len(other)) > _MOST_TYPOS:
        return _FAR, 1
    # `above[j]`: the number for what was read of `one` and the first j characters of `other`. `row` is the same with
    # one more character of `one`, and `before` with one less: a swap takes two characters.
    before: dict[int, int] = {}
    above = {j: j for j in range(_MOST_TYPOS + 1)}
    for i, a in enumerate(one, 1):
        row: dict[int, int] = {}
        for j in range(max(0, i - _MOST_TYPOS), min(len(other), i + _MOST_TYPOS) + 1):
            cost = min(above.get(j, _FAR), row.get(j - 1, _FAR)) + 1
            if j:
                cost = min(cost, above.get(j - 1, _FAR) + (a != other[j - 1]))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == other[j - 1]:
                cost = min(cost, before.get(j - 2, _FAR) + 1)
            row[j] = cost
        if min(row.values()) > _MOST_TYPOS:
            return _FAR, i
        before, above = above, row
    return min(above.get(len(other), _FAR), _FAR), len(one)
