"""Find the highest costs of stored hashes, so that every wrong password takes as long as with the costliest hash
(`crypto/passwords.py`).
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.sql.functions import FunctionElement

from vestibule.crypto.hash_forms import BCRYPT_CHARACTERS, BCRYPT_COSTS
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, has_bcrypt_hash, has_other_argon2

_MOST_READ = 10_000
_MOST_COSTS = 100
_COST = func.substr(accounts.c.password_hash, 5, 2)  # $2b$12$…
# Leave out malformed hashes: they are never checked, but every wrong password would take as long as a check of them.
HIGHEST_BCRYPT_COST = Prepared(
    select(func.max(_COST)).where(
        has_bcrypt_hash,
        func.substr(accounts.c.password_hash, 3, 2).in_(["a$", "b$", "y$"]),
        func.length(accounts.c.password_hash) == BCRYPT_CHARACTERS,
        _COST.in_(BCRYPT_COSTS),
    )
)


def _other_argon2(position: Callable[..., FunctionElement[int]]) -> Select[Any]:
    """Return a SELECT of the parameters, `m=…,t=…,p=…`, of stored Argon2 hashes: at most `_MOST_READ` of them."""
    some = select(accounts.c.password_hash.label("stored")).where(has_other_argon2).limit(_MOST_READ).subquery()
    begun = func.substr(some.c.stored, position(some.c.stored, "m="))
    end = position(begun, "$")
    return select(func.substr(begun, 1, case((end > 0, end - 1), else_=0))).distinct().limit(_MOST_COSTS)


OTHER_ARGON2 = {"sqlite": Prepared(_other_argon2(func.instr)), "postgresql": Prepared(_other_argon2(func.strpos))}
