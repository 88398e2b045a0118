"""Find what stored hashes cost, so that every wrong password takes as long as with the costliest of each kind
(`crypto/passwords.py`).

There may be millions of imported hashes, but with only a few costs, which stand at the beginning of each hash. So this
asks the index for the lowest beginning, then for the next one above it, and so on: it reads one row for each cost.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, beginning_of_hash, has_other_hash

_MOST_COSTS = 100


def _first(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Return the query for the lowest beginning of a hash, of those that meet the conditions."""
    found = select(beginning_of_hash.label("beginning")).select_from(accounts).where(has_other_hash, *conditions)
    return found.order_by(beginning_of_hash).limit(1)


def _costs() -> Select[Any]:
    """Return the query for all beginnings. It is recursive: each is the next above the one before, and NULL ends it."""
    lowest = _first().subquery("lowest")
    found = select(lowest.c.beginning).cte("found", recursive=True)
    after = _first(beginning_of_hash > found.c.beginning).correlate(found).scalar_subquery()
    all_found = found.union_all(select(after).where(found.c.beginning.is_not(None)))
    return select(all_found.c.beginning).where(all_found.c.beginning.is_not(None)).limit(_MOST_COSTS)


HASH_COSTS = Prepared(_costs())
