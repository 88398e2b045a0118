"""Typos: which email was probably meant, by how many characters two differ."""

from collections.abc import Sequence

from vestibule.model.accounts import Account

_TYPED_WRONG = 2
"""At most how many characters a mistyped email differs by."""


def nearest(email: str, accounts: Sequence[Account]) -> Account | None:
    """Return the account whose email is the most like this one, if it can be the same one mistyped."""
    near = [(differing(email, account.email), account) for account in accounts]
    close = [(number, account) for number, account in near if number <= _TYPED_WRONG]
    return min(close, key=lambda each: each[0])[1] if close else None


def differing(one: str, other: str) -> int:
    """Return by how many characters two emails differ, added, left out, changed or swapped; at most one more than a
    mistyped one does.
    """
    if abs(len(one) - len(other)) > _TYPED_WRONG:
        return _TYPED_WRONG + 1
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > _TYPED_WRONG:
            return _TYPED_WRONG + 1
        before, above = above, row
    return min(above[-1], _TYPED_WRONG + 1)
