"""Typos: which email was probably meant, by edit distance (Damerau and Levenshtein)."""

from collections.abc import Sequence

from vestibule.model.accounts import Account

_MOST_TYPOS = 2
"""The greatest distance at which an email counts as mistyped."""


def nearest(email: str, accounts: Sequence[Account]) -> Account | None:
    """Return the account whose email is the nearest to this one, if that can be this one mistyped; otherwise None."""
    distances = [(differing(email, account.email), account) for account in accounts]
    near = [(distance, account) for distance, account in distances if distance <= _MOST_TYPOS]
    return min(near, key=lambda each: each[0])[1] if near else None


def differing(one: str, other: str) -> int:
    """Return how many characters must be added, left out, changed or swapped to make `other` of `one`; for any number
    above `_MOST_TYPOS`, return one more than that.
    """
    if abs(len(one) - len(other)) > _MOST_TYPOS:
        return _MOST_TYPOS + 1
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > _MOST_TYPOS:
            return _MOST_TYPOS + 1
        before, above = above, row
    return min(above[-1], _MOST_TYPOS + 1)
