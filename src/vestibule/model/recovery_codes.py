"""Recovery codes: ten for an account, shown once, each good for one second step when the other factors are lost.

7-abcde-fghjk
| |
| 50 random bits, in Crockford's base32
the number of its row, so that checking a code costs one hash
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vestibule.model import typed_codes

CODES = 10
"""How many an account gets at once."""
_LENGTH, _GROUP = 10, 5
_CODE = re.compile(rf"([0-9])([{typed_codes.ALPHABET}]{{{_LENGTH}}})")


@dataclass(frozen=True)
class RecoveryCode:
    """A recovery code as it was typed: the number of its row, and its secret part."""

    number: int
    secret: str

    @property
    def text(self) -> str:
        """Return the code as it is shown."""
        return f"{self.number}-{self.secret[:_GROUP]}-{self.secret[_GROUP:]}"


def mint_codes() -> list[RecoveryCode]:
    """Return ten new codes, one for each row."""
    return [RecoveryCode(number, typed_codes.mint(_LENGTH)) for number in range(CODES)]


def read_code(text: str) -> RecoveryCode | None:
    """Return the code in `text`, whatever its case, hyphens and spaces; None if it is no code."""
    found = _CODE.fullmatch(typed_codes.plain(text))
    return RecoveryCode(int(found[1]), found[2]) if found else None


class RecoveryCodes(Protocol):
    """The hashes of the recovery codes."""

    async def replace(self, account_id: str, hashes: Sequence[str], now: datetime) -> None:
        """Store the hashes of new codes, by number, in place of all earlier ones. Call it with the account locked."""

    async def unused(self, account_id: str, number: int) -> str | None:
        """Return the hash of an unused code; None if it was used or does not exist."""

    async def spend(self, account_id: str, number: int, code_hash: str, now: datetime) -> bool:
        """Mark a code as used, if it still has this hash; return False if it was used or replaced meanwhile. Of
        concurrent calls only one returns True.
        """

    async def delete_of(self, account_id: str) -> None:
        """Delete all codes of the account."""
