"""Find what stored hashes cost, so that every wrong password takes as long as with the costliest of each kind
(`crypto/passwords.py`).

There may be millions of imported hashes, and a few costs. So this asks the index for the first beginning of a hash,
then for the first one after that, and so on: it looks at as many rows as there are costs.
"""

from sqlalchemy import String, text

from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import beginning_of_hash, has_other_hash

_MOST_COSTS = 100
_FIRST = f"SELECT {beginning_of_hash} FROM accounts WHERE ({has_other_hash})"  # noqa: S608  # nosec B608  # of the schema
_NEXT = f"{_FIRST} AND {beginning_of_hash} > found.beginning ORDER BY {beginning_of_hash} LIMIT 1"
HASH_COSTS = Prepared(
    text(
        "WITH RECURSIVE found(beginning) AS ("  # noqa: S608  # nosec B608  # of the schema
        f"SELECT * FROM ({_FIRST} ORDER BY {beginning_of_hash} LIMIT 1) AS lowest UNION ALL "
        f"SELECT ({_NEXT}) FROM found WHERE found.beginning IS NOT NULL) "
        f"SELECT beginning FROM found WHERE beginning IS NOT NULL LIMIT {_MOST_COSTS}"
    ).columns(beginning=String)
)
